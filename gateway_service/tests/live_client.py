"""A WebSocket client for live updates, and helpers that publish events and wait for the feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import websockets
from confluent_kafka import Producer

from gateway_service.gateway.live.feed import BOOKINGS_TOPIC, feed
from shared.events import topic_name
from shared.settings.env import env

UPDATES = """subscription($r: String!, $a: Int) { bookingUpdated(reference: $r, afterSequence: $a) {
  event { sequence type message } booking { reference status } } }"""


class Client:
    """A client of the graphql-transport-ws protocol. `receive` returns the next message of the gateway."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self, timeout: float = 5) -> Any:
        return json.loads(await asyncio.wait_for(self.connection.recv(), timeout))

    async def subscribe(self, query: str, name: str = "1", **variables: Any) -> None:
        await self.send(type="subscribe", id=name, payload={"query": query, "variables": variables})

    async def watch(self, reference: str, after: int | None = None, name: str = "1") -> None:
        await self.subscribe(UPDATES, name, r=reference, a=after)

    async def sequences(self, count: int, timeout: float = 5) -> list[int]:
        messages = [await self.receive(timeout) for _ in range(count)]
        return [message["payload"]["data"]["bookingUpdated"]["event"]["sequence"] for message in messages]

    async def is_silent(self, seconds: float = 0.4) -> bool:
        """Return whether no message arrives for `seconds`."""
        try:
            await self.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False

    async def close_code(self, timeout: float = 5) -> int:
        """Read until the gateway closes the socket, and return the close code."""
        try:
            while True:
                await asyncio.wait_for(self.connection.recv(), timeout)
        except websockets.ConnectionClosed as closed:
            return int(closed.rcvd.code)


@asynccontextmanager
async def connected(address: str, init: Any = ..., *, ack: bool = True, **options: Any) -> AsyncIterator[Client]:
    """Open a socket. If `init` is given, send `connection_init` with it, and wait for the answer if `ack`."""
    async with websockets.connect(
        f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], compression=None, **options
    ) as connection:
        client = Client(connection)
        if init is not ...:
            await client.send(type="connection_init", payload=init)
            if ack:
                assert await client.receive() == {"type": "connection_ack"}
        yield client


def bearer(token: str, **more: Any) -> dict[str, Any]:
    return {"authorization": f"Bearer {token}", **more}


def publish(key: str, sequence: int, value: Any = None, *, topic: str = BOOKINGS_TOPIC) -> None:
    """Put an event with this sequence on a topic, as the relay does."""
    producer = Producer({"bootstrap.servers": env.str("KAFKA_BOOTSTRAP_SERVERS"), "linger.ms": 0})
    headers = [("ce_sequence", str(sequence).encode())]
    producer.produce(topic_name(topic), key=key.encode(), value=json.dumps(value or {}).encode(), headers=headers)
    assert producer.flush(10) == 0


async def until_connected() -> None:
    """Wait until the feed reads events."""
    for _ in range(500):
        if feed().connected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the feed did not connect")


async def until_unwatched() -> None:
    """Wait until the feed has no watcher."""
    for _ in range(100):
        if not feed()._watchers:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the feed still has watchers")
