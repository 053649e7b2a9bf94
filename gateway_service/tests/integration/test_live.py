"""Live updates of a booking over real WebSockets and real Kafka, and the protocol with its close codes."""

import asyncio
import json
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
import websockets
from django.conf import settings
from django.test import override_settings

from gateway_service.gateway.live import asking, follow
from gateway_service.gateway.live.feed import BOOKINGS_TOPIC, feed
from gateway_service.tests.backends import Backends
from gateway_service.tests.live_client import (
    UPDATES,
    Client,
    bearer,
    connected,
    publish,
    until_connected,
    until_unwatched,
)
from gateway_service.tests.serving import close_connections, serving
from shared.auth import testing as keys
from shared.errors import Unavailable
from shared.ids import uuid7
from shared.kafka import broadcast
from shared.testing.kafka_wire import put_raw

pytestmark = pytest.mark.usefixtures("valkey", "kafka_topics")


async def test_missed_events_come_first_and_each_event_once(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    """Seen failing (no event after sequence 3) with an empty Feed._notify."""
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token, locale="fr")) as client:
        await client.watch(booking.reference, after=1)
        first = await client.receive()
        assert first["payload"]["data"]["bookingUpdated"] == {
            "event": {"sequence": 2, "type": "payment.succeeded", "message": "Fait 2"},
            "booking": {"reference": booking.reference, "status": "CONFIRMED"},
        }
        assert await client.sequences(1) == [3]
        await until_connected()
        for _ in range(3):
            backends.world.add_event(booking, "booking.changed")
            await asyncio.to_thread(publish, booking.id, booking.sequence)
            await asyncio.to_thread(publish, booking.id, booking.sequence)  # the relay may send an event twice
        assert await client.sequences(3) == [4, 5, 6]
        assert await client.is_silent()


@pytest.mark.parametrize(
    ("name", "value"), [(b"ce_\xff\xfe", b"{}"), (b"ce_sequence", b"[" * 100_000)], ids=["header", "value"]
)
async def test_a_record_that_cannot_be_read_is_skipped(
    address: str, backends: Backends, traveller_id: UUID, token: str, name: bytes, value: bytes
) -> None:
    """The same reader goes on with the next record.

    Sixty good records come first, because 60 records reproduce the crash that headers_of explains. Seen failing
    (segmentation fault) with `message.headers()` in headers_of. Seen failing (a new reader) without the `try` in
    Feed._dispatch.
    """
    booking = backends.world.add_booking(traveller_id)
    readers = []
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference, after=3)
        await until_connected()
        make = feed()._reader.make_consumer
        feed()._reader.make_consumer = lambda *args, **options: readers.append(1) or make(*args, **options)
        for _ in range(60):
            await asyncio.to_thread(
                put_raw, BOOKINGS_TOPIC, key=b"other", value=b"{}", headers=[(b"ce_sequence", b"1")]
            )
        backends.world.add_event(booking, "booking.changed")
        await asyncio.to_thread(put_raw, BOOKINGS_TOPIC, key=booking.id.encode(), value=value, headers=[(name, b"4")])
        await asyncio.to_thread(publish, booking.id, booking.sequence)

        assert await client.sequences(1) == [4]
        assert readers == []


async def test_a_change_soon_reaches_its_watchers_and_nobody_else(
    address: str, backends: Backends, traveller_id: UUID, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "POLL_SECONDS", 1.0)  # as in production
    mine, other = backends.world.add_booking(traveller_id, 1), backends.world.add_booking(traveller_id, 2)
    async with connected(address, bearer(token)) as client:
        await client.watch(mine.reference)
        await until_connected()
        calls = backends.calls["ListBookingEvents"]
        backends.world.add_event(other, "booking.changed")
        await asyncio.to_thread(publish, other.id, other.sequence)
        backends.world.add_event(mine, "booking.changed")
        started = time.monotonic()
        await asyncio.to_thread(publish, mine.id, mine.sequence)

        assert await client.sequences(1) == [4]
        assert time.monotonic() - started < 0.9  # a poll that waits for its whole batch takes 1 s
        assert backends.calls["ListBookingEvents"] == calls + 1


async def test_bookings_are_polled_while_the_feed_is_not_connected(
    address: str, backends: Backends, traveller_id: UUID, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ConnectionError

    monkeypatch.setattr(feed()._reader, "make_consumer", fail)
    monkeypatch.setattr(asking, "POLL_SECONDS", 0.4)
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference, after=3)
        await asyncio.sleep(0.2)
        assert not feed().connected
        backends.world.add_event(booking, "booking.changed")

        assert await client.sequences(1) == [4]


async def test_no_event_is_lost_while_a_service_is_unavailable(
    address: str, backends: Backends, traveller_id: UUID, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.2)
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference, after=3)
        await until_connected()
        backends.world.refusals["ListBookingEvents"] = Unavailable()
        backends.world.add_event(booking, "booking.changed")
        await asyncio.to_thread(publish, booking.id, booking.sequence)
        await asyncio.sleep(0.3)
        backends.world.refusals.clear()

        assert await client.sequences(1) == [4]


async def test_bookings_of_other_travellers_are_not_found(address: str, backends: Backends, token: str) -> None:
    """An unknown reference gets the same answer. Without sign-in the answer is UNAUTHENTICATED."""
    theirs = backends.world.add_booking(uuid7())
    async with connected(address, bearer(token)) as client:
        await client.watch(theirs.reference, name="a")
        await client.watch("UNKNOWN1", name="b")
        await client.watch(theirs.reference, after=-1, name="c")
        errors = {}
        for _ in range(3):
            message = await client.receive()
            assert message["type"] == "error"
            errors[message["id"]] = message["payload"][0]["extensions"]["code"]

    async with connected(address, None) as client:
        await client.watch(theirs.reference, name="d")
        message = await client.receive()
        errors["d"] = message["payload"][0]["extensions"]["code"]

    assert errors == {"a": "NOT_FOUND", "b": "NOT_FOUND", "c": "BAD_USER_INPUT", "d": "UNAUTHENTICATED"}


@pytest.mark.parametrize("payload", [bearer("x"), {"authorization": "x"}, {"authorization": 7}, {"authorization": ""}])
async def test_an_invalid_token_closes_with_4403(payload: Any, address: str) -> None:
    async with connected(address, payload, ack=False) as client:
        assert await client.close_code() == 4403


async def test_a_socket_is_closed_when_its_token_expires(address: str, backends: Backends, traveller_id: UUID) -> None:
    """Seen failing (the socket stayed open) without the timer of _init."""
    booking = backends.world.add_booking(traveller_id)
    token = keys.mint_access_token(traveller_id, exp=int(time.time()) + 2)
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference)
        started = time.monotonic()
        assert await client.close_code() == 4403
        assert time.monotonic() - started < 5


NO_QUERY = [
    '{"type": "subscribe", "id": "1"' + payload + "}"
    for payload in ("", ', "payload": null', ', "payload": [1]', ', "payload": {}', ', "payload": {"query": 7}')
]


async def test_each_violation_of_the_protocol_has_its_close_code(address: str) -> None:
    """NO_QUERY was seen failing (an `error` message, and no close) without the check of the payload."""
    with override_settings(SOCKET_INIT_SECONDS=0.2):
        async with connected(address) as client:
            assert await client.close_code() == 4408
    async with connected(address) as client:
        await client.watch("X")
        assert await client.close_code() == 4401
    async with connected(address, {}) as client:
        await client.send(type="connection_init")
        assert await client.close_code() == 4429
    for bad in ("{", "[]", '{"type": "nope"}', '{"type": "subscribe", "id": ""}', '"x"', "[" * 50_000, *NO_QUERY):
        async with connected(address, {}) as client:
            await client.connection.send(bad)
            assert await client.close_code() == 4400
    async with connected(address, {}) as client:
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        await client.send(type="subscribe", id="q", payload={"query": "{ me { id } }"})
        assert await client.receive() == {"id": "q", "type": "next", "payload": {"data": {"me": None}}}
        assert await client.receive() == {"id": "q", "type": "complete"}
        await client.send(type="subscribe", id="q", payload={"query": "{ nope }"})
        assert (await client.receive())["type"] == "error"
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=["graphql-ws"]) as connection:
        assert await Client(connection).close_code() == 4406
    with pytest.raises(websockets.InvalidStatus):
        async with websockets.connect(f"ws://{address}/other"):
            pass


async def test_a_subscription_id_is_used_by_only_one_running_subscription(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference, name="1")
        await client.watch(booking.reference, name="1")
        assert await client.close_code() == 4409


async def test_a_completed_subscription_is_silent(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token)) as client:
        await client.watch(booking.reference, after=2)
        assert await client.sequences(1) == [3]
        await until_connected()
        await client.send(type="complete", id="1")
        await asyncio.sleep(0.2)
        backends.world.add_event(booking, "booking.changed")
        await asyncio.to_thread(publish, booking.id, booking.sequence)
        assert await client.is_silent()
        assert feed()._watchers == {}


async def test_the_sockets_of_a_traveller_are_limited(address: str, traveller_id: UUID) -> None:
    """Seen failing without SocketLimit.admit."""
    with override_settings(SOCKET_LIMIT=3):
        async with connected(address, bearer(keys.mint_access_token(traveller_id))) as first:
            async with connected(address, bearer(keys.mint_access_token(traveller_id))):
                async with connected(address, bearer(keys.mint_access_token(traveller_id))):
                    async with connected(address, bearer(keys.mint_access_token(traveller_id)), ack=False) as fourth:
                        assert await fourth.close_code() == 4429
                    async with connected(address, bearer(keys.mint_access_token(uuid7()))):
                        pass
                await asyncio.sleep(0.2)
                async with connected(address, bearer(keys.mint_access_token(traveller_id))):
                    pass
            await first.send(type="ping")
            assert await first.receive() == {"type": "pong"}


async def test_only_a_client_that_stops_reading_is_closed(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    """Seen failing (the socket stayed open, and its buffer grew) with an unbounded queue."""
    booking = backends.world.add_booking(traveller_id)
    for _ in range(40):
        booking.passengers.add(first_name="x" * 20_000, last_name="y", kind=1, id=str(uuid7()))
    for _ in range(400):
        backends.world.add_event(booking, "booking.changed")
    heavy = UPDATES.replace("booking { reference status }", "booking { passengers { firstName } }")
    async with connected(address, bearer(token), max_queue=1, max_size=None) as slow, connected(address, {}) as other:
        payload = {"query": heavy, "variables": {"r": booking.reference, "a": 0}}
        await slow.send(type="subscribe", id="1", payload=payload)
        await asyncio.sleep(3)
        await other.send(type="ping")
        assert await other.receive() == {"type": "pong"}
        assert await slow.close_code(timeout=20) == 1013


async def test_a_stopping_gateway_closes_sockets_with_1012(backends: Backends, token: str) -> None:
    from gateway_service.config.asgi import application

    async with serving(application) as (server, address), connected(address, bearer(token)) as client:
        server.should_exit = True
        assert await client.close_code() == 1012
    await close_connections()


async def test_updates_are_also_sent_as_server_sent_events(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    body = {"query": UPDATES, "variables": {"r": booking.reference, "a": 1}}
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    received: list[Any] = []
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        async with http.stream("POST", "/graphql", json=body, headers=headers) as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            async for text in response.aiter_lines():
                if text.startswith("data: {"):
                    received.append(json.loads(text[6:])["data"]["bookingUpdated"]["event"]["sequence"])
                if received == [2, 3]:
                    await until_connected()
                    backends.world.add_event(booking, "booking.changed")
                    await asyncio.to_thread(publish, booking.id, booking.sequence)
                    received.append("published")
                if received[-1:] == [4]:
                    break
        refused = await http.post("/graphql", json=body | {"variables": {"r": "X"}}, headers=headers)
        plain = await http.post("/graphql", json=body, headers={"Authorization": headers["Authorization"]})

    assert received == [2, 3, "published", 4]
    assert '"code":"NOT_FOUND"' in refused.text
    assert refused.text.endswith("event: complete\ndata: \n\n")
    assert plain.status_code == 400
    await until_unwatched()


def test_the_default_socket_limit_is_20() -> None:
    assert settings.SOCKET_LIMIT == 20
