"""A flood of sign-ins through the gateway: `python -m benchmarks._identity_flood PER_SECOND SECONDS EMAIL…`."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

PASSWORD: Final = "a quiet harbour 42"
GATEWAY: Final = f"{os.environ['GATEWAY_URL']}/graphql"
ADDRESS: Final = urlsplit(GATEWAY)
LOGIN: Final = "mutation ($e: String!, $p: String!) { login(email: $e, password: $p) { accessToken errors { code } } }"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to the gateway. It does no more than a post needs: the flood must not use the platform's cores."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls) -> "Connection":
        """Connect."""
        return cls(*await asyncio.open_connection(ADDRESS.hostname, ADDRESS.port))

    async def post(self, body: object) -> bytes:
        """Send JSON, and return the body of the answer."""
        content = json.dumps(body).encode()
        head = f"POST {ADDRESS.path} HTTP/1.1\r\nHost: {ADDRESS.netloc}\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await self.reader.readuntil(b"\r\n\r\n")
        answer = b""
        while size := int(await self.reader.readline(), 16):  # the gateway answers in chunks
            answer += await self.reader.readexactly(size + len(b"\r\n"))
        await self.reader.readline()
        return answer


async def flood(emails: list[str], *, per_second: float, seconds: float) -> Counter[str]:
    """Sign in at an even pace, whether earlier sign-ins are answered or not. Return how often each answer came."""
    answers: Counter[str] = Counter()
    idle: list[Connection] = []
    async with asyncio.TaskGroup() as tasks:

        async def sign_in(email: str) -> None:
            while idle and idle[-1].reader.at_eof():  # the gateway ends connections that wait for five seconds
                idle.pop()
            connection = idle.pop() if idle else await Connection.open()
            answer = json.loads(await connection.post({"query": LOGIN, "variables": {"e": email, "p": PASSWORD}}))
            idle.append(connection)
            errors = answer.get("errors") or ((answer.get("data") or {}).get("login") or {}).get("errors") or []
            answers[errors[0].get("code") or errors[0]["extensions"]["code"] if errors else "OK"] += 1

        began = time.monotonic()
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            tasks.create_task(sign_in(emails[number % len(emails)]))
    return answers


def main() -> None:
    """Flood, and print how often each answer came."""
    per_second, seconds, *emails = sys.argv[1:]
    answers = asyncio.run(flood(emails, per_second=float(per_second), seconds=float(seconds)))
    print(" ".join(f"{code}={count}" for code, count in sorted(answers.items())))


if __name__ == "__main__":
    main()
