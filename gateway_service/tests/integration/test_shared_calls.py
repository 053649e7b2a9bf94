"""Reads that subscribers share: who shares, who does not, and what one subscriber's leaving does to the others."""

import asyncio
from uuid import UUID

import pytest

from gateway_service.gateway.execution import run
from gateway_service.gateway.live.feed import feed
from gateway_service.gateway.operation.shared_calls import SharedCalls
from gateway_service.tests.backends import Backends
from gateway_service.tests.live_client import bearer, connected, publish, until_connected


class Source:
    """Answers each read with its number, when it may."""

    def __init__(self) -> None:
        self.reads = 0
        self.begun, self.may_answer = asyncio.Event(), asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        number = self.reads
        self.begun.set()
        await self.may_answer.wait()
        return number


async def test_those_who_ask_together_share_one_read() -> None:
    source, shared = Source(), SharedCalls()
    source.may_answer.set()

    assert await asyncio.gather(*(shared.share("a", source.read) for _ in range(1_000))) == [1] * 1_000
    assert await asyncio.gather(shared.share("a", source.read), shared.share("b", source.read)) == [2, 3]


async def test_a_read_that_has_begun_is_not_shared() -> None:
    """It may have missed the change that the question is about.

    Seen failing ([1, 1]) with the key removed only after the call.
    """
    source, shared = Source(), SharedCalls()
    first = asyncio.ensure_future(shared.share("a", source.read))
    await source.begun.wait()

    second = asyncio.ensure_future(shared.share("a", source.read))
    source.may_answer.set()

    assert [await first, await second] == [1, 2]


async def test_a_subscriber_that_leaves_ends_nobody_elses_read() -> None:
    """Seen failing (CancelledError) with one future for all."""
    source, shared = Source(), SharedCalls()
    leaving, staying = (asyncio.ensure_future(shared.share("a", source.read)) for _ in range(2))
    await source.begun.wait()

    leaving.cancel()
    source.may_answer.set()

    assert await staying == 1


async def test_an_error_reaches_everybody_and_the_next_read_is_made() -> None:
    shared, reads = SharedCalls(), 0

    async def fail() -> int:
        nonlocal reads
        reads += 1
        raise ZeroDivisionError

    for expected in (1, 2):
        results = await asyncio.gather(*(shared.share("a", fail) for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError] * 3
        assert reads == expected


@pytest.mark.usefixtures("valkey", "kafka_topics")
async def test_a_change_is_read_once_for_all_subscribers_of_a_booking(
    address: str, backends: Backends, traveller_id: UUID, token: str
) -> None:
    """Seen failing (30 calls) without shared_calls in _booking_and_history."""
    booking = backends.world.add_booking(traveller_id)
    async with connected(address, bearer(token)) as client:
        for number in range(30):
            await client.watch(booking.reference, after=2, name=str(number))
        assert await client.sequences(30) == [3] * 30
        await until_connected()
        before = backends.calls["ListBookingEvents"]

        backends.world.add_event(booking, "booking.changed")
        await asyncio.to_thread(publish, booking.id, booking.sequence)

        assert await client.sequences(30) == [4] * 30
        assert backends.calls["ListBookingEvents"] == before + 1


@pytest.mark.usefixtures("valkey", "kafka_topics")
async def test_equal_subscriptions_share_an_execution_and_others_do_not(
    address: str, backends: Backends, traveller_id: UUID, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen failing (21 executions) without shared_calls in _subscription_answers.

    Seen failing (one language for both) without the language in the key.
    """
    booking = backends.world.add_booking(traveller_id)
    executions: list[object] = []
    execute = run._update_body
    monkeypatch.setattr(run, "_update_body", lambda *arguments: (executions.append(1), execute(*arguments))[1])
    async with connected(address, bearer(token, locale="en")) as client:
        async with connected(address, bearer(token, locale="fr")) as french:
            for number in range(20):
                await client.watch(booking.reference, name=str(number))
            await french.watch(booking.reference)
            await until_connected()
            await eventually_watched(21)

            backends.world.add_event(booking, "booking.changed")
            await asyncio.to_thread(publish, booking.id, booking.sequence)

            assert await client.sequences(20) == [4] * 20
            message = await french.receive()
    assert message["payload"]["data"]["bookingUpdated"]["event"]["message"] == "Fait 4"
    assert len(executions) == 2


async def eventually_watched(count: int) -> None:
    """Wait until the feed has `count` watchers."""
    for _ in range(500):
        if sum(map(len, feed()._watchers.values())) == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not every subscriber watches")
