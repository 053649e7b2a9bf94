"""A lean HTTP client, and the two ways to load a server: a closed loop and an open one."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(slots=True)
class Connection:
    """A connection that is kept alive. It does no more than a post needs, because it shares the platform's cores."""

    host: str
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the server of `url`."""
        address = urlsplit(url)
        host, port = address.hostname or "localhost", address.port or 80
        return cls(host, port, *await asyncio.open_connection(host, port, limit=2**22))

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()

    async def post(self, body: bytes, token: str | None = None) -> bytes:
        """Send a GraphQL request in English, signed in with a token, and return the body of the answer."""
        if self.reader.at_eof():  # the server ends connections that wait for some seconds
            self.writer.close()
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=2**22)
        signed_in = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
            f"{signed_in}Accept-Language: en\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answered = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length:" in answered:
            return await self.reader.readexactly(int(answered.partition(b"content-length:")[2].split(None, 1)[0]))
        return await self._chunks()

    async def _chunks(self) -> bytes:
        answer = b""
        while size := int(await self.reader.readline(), 16):
            answer += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()
        return answer


Send = Callable[[Connection], Awaitable[None]]


async def closed_loop(url: str, send: Send, *, connections: int, seconds: float) -> list[float]:
    """Keep `connections` requests under way for `seconds`. Return the milliseconds of each."""
    taken: list[float] = []
    end = time.monotonic() + seconds

    async def repeat() -> None:
        connection = await Connection.open(url)
        while (began := time.monotonic()) < end:
            await send(connection)
            taken.append((time.monotonic() - began) * 1_000)
        connection.close()

    await asyncio.gather(*(repeat() for _ in range(connections)))
    return taken


async def open_loop(url: str, send: Send, *, per_second: float, seconds: float) -> list[float]:
    """Begin requests at random moments, whether earlier ones are answered or not. Return the milliseconds of each.

    A request counts from the instant when it was due, so a slow answer delays no other.
    """
    chance, idle, taken = random.Random(1), [await Connection.open(url)], list[float]()

    async def ask(due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(url)
        await send(connection)
        taken.append((time.monotonic() - due) * 1_000)
        idle.append(connection)

    due, end, asked = time.monotonic(), time.monotonic() + seconds, []
    while (due := due + chance.expovariate(per_second)) < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        asked.append(asyncio.create_task(ask(due)))
    await asyncio.gather(*asked)
    for connection in idle:
        connection.close()
    return taken
