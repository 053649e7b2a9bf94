"""Lean subscribers over WebSocket and server-sent events (SSE): thousands in one process, beside what they measure."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

UPDATES: Final = """
subscription Updates($reference: String!, $after: Int) {
  bookingUpdated(reference: $reference, afterSequence: $after) { event { sequence at } booking { status } }
}
"""
_MASK: Final = bytes(4)  # a mask of zeros is valid and costs nothing


@dataclass(slots=True)
class Subscriber:
    """A subscriber of one booking. It has the sequences that it received and when, in seconds of the epoch."""

    reference: str
    token: str
    received: list[tuple[int, str, float]] = field(default_factory=list)
    ready: asyncio.Future[None] | None = None  # done when the answer's head has come
    is_live: bool = False
    reconnects: int = 0

    @property
    def sequences(self) -> list[int]:
        """The sequences in the order in which they came."""
        return [sequence for sequence, _, _ in self.received]

    def payload(self) -> dict[str, Any]:
        """Return the operation: updates after the last sequence that was received, or new ones only at first."""
        after = self.received[-1][0] if self.received else None
        return {"query": UPDATES, "variables": {"reference": self.reference, "after": after}}

    def take(self, body: dict[str, Any]) -> None:
        """Note an update. Raises ValueError for an error."""
        if "errors" in body:
            raise ValueError(f"refused: {body['errors']}")
        event = body["data"]["bookingUpdated"]["event"]
        self.received.append((event["sequence"], event["at"], time.time()))


class Connection(asyncio.Protocol):
    """What both kinds of connections share. `lost` is called when the connection has ended."""

    def __init__(self, subscriber: Subscriber, lost: Callable[[Subscriber], None]) -> None:
        self.subscriber = subscriber
        self._lost = lost
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self.transport = transport
        self.subscriber.is_live = False
        self.write(self.request())

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for the connection, or else the owner."""
        subscriber = self.subscriber
        subscriber.is_live = False
        if subscriber.ready is not None and not subscriber.ready.done():
            subscriber.ready.set_exception(OSError("the connection ended"))
        else:
            self._lost(subscriber)

    def data_received(self, data: bytes) -> None:
        """Take the answer's head off, then everything that is complete."""
        self._received += data
        if not self.subscriber.is_live:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            if b" 101 " not in head[:20] and b" 200 " not in head[:20]:
                raise ValueError(head)
            self._received = rest
            self.begin()
        self._received = self.parse(self._received)

    def request(self) -> bytes:
        """Return the HTTP request."""
        raise NotImplementedError

    def begin(self) -> None:
        """Begin after the head of the answer."""
        self.subscriber.is_live = True
        if self.subscriber.ready and not self.subscriber.ready.done():
            self.subscriber.ready.set_result(None)

    def parse(self, data: bytes) -> bytes:
        """Take complete messages, and return the incomplete rest."""
        raise NotImplementedError


class WebSocket(Connection):
    """The protocol graphql-transport-ws."""

    def request(self) -> bytes:
        """Return the handshake."""
        return (
            b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )

    def begin(self) -> None:
        """Sign in and subscribe at once: the gateway handles the messages in order."""
        super().begin()
        self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self.subscriber.token}"}})
        self._send({"type": "subscribe", "id": "1", "payload": self.subscriber.payload()})

    def parse(self, data: bytes) -> bytes:
        """Take the frames. A server's frames have no mask."""
        while len(data) >= 2:
            kind, size, start = data[0] & 15, data[1] & 127, 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(data[2:start], "big") if len(data) >= start else 1 << 62
            if len(data) < start + size:
                break
            self._frame(kind, data[start : start + size])
            data = data[start + size :]
        return data

    def _frame(self, kind: int, body: bytes) -> None:
        if kind == 9:
            self.write(bytes((0x8A, 0x80 | len(body))) + _MASK + body)
        elif kind == 8:
            self.transport.close()
        elif body.startswith(b'{"id"') or b'"next"' in body[:40] or b'"error"' in body[:40]:
            message = json.loads(body)
            if message["type"] == "error":
                raise ValueError(f"refused: {message['payload']}")
            self.subscriber.take(message["payload"])

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        size = bytes((0x80 | len(body),)) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self.write(b"\x81" + size + _MASK + body)


class EventStream(Connection):
    """Server-sent events in "distinct connections" mode."""

    def request(self) -> bytes:
        """Return the request."""
        body = json.dumps(self.subscriber.payload()).encode()
        return (
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
        ) % (self.subscriber.token.encode(), len(body), body)

    def parse(self, data: bytes) -> bytes:
        """Take the events. Each comes in one chunk, and its text has no empty line."""
        *events, rest = data.split(b"\n\n")
        for event in events:
            _, found, body = event.partition(b"event: next\ndata: ")
            if found:
                self.subscriber.take(json.loads(body))
        return rest


KINDS: Final[dict[str, type[Connection]]] = {"ws": WebSocket, "sse": EventStream}


async def connect(
    subscribers: list[Subscriber], port: int, *, kind: str, lost: Callable[[Subscriber], None], at_a_time: int = 100
) -> None:
    """Connect subscribers, some at a time, and return when each has an answer's head."""
    for start in range(0, len(subscribers), at_a_time):
        some = subscribers[start : start + at_a_time]
        await asyncio.gather(*(_connected(one, port, kind, lost) for one in some))


async def _connected(subscriber: Subscriber, port: int, kind: str, lost: Callable[[Subscriber], None]) -> None:
    loop = asyncio.get_running_loop()
    subscriber.ready = loop.create_future()
    await loop.create_connection(lambda: KINDS[kind](subscriber, lost), "127.0.0.1", port)
    await subscriber.ready


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may go."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
