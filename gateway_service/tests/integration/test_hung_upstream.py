"""A service that hangs costs two seconds once, then nothing, and is asked again within two seconds of its return.

The service is a process of its own on a real socket. It hangs because it is stopped (SIGSTOP), or because the network
swallows everything.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from contracts.travel.bookings.v1 import bookings_pb2 as b
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from contracts.travel.destinations.v1 import destinations_pb2 as d
from contracts.travel.destinations.v1.destinations_pb2_grpc import DestinationsServiceStub
from gateway_service.gateway.upstream.guarded_channel import GuardedChannel
from gateway_service.tests.backends import Backends
from shared import rpc
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Unavailable
from shared.testing.swallowing_proxy import SwallowingNetwork

SECONDS = 5.0


class Process:
    """The service's process, started anew at the same port by `start`."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway_service.tests.unresponsive_server", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    yield process
    process.kill()


class Client:
    """A guarded channel to the process, and calls over it."""

    def __init__(self, address: str) -> None:
        self._channel = GuardedChannel("destinations", address=address)
        self._destinations = DestinationsServiceStub(self._channel)
        self._bookings = BookingsServiceStub(self._channel)

    def search(self, *, takes: float = 0, seconds: float = SECONDS) -> Awaitable[Any]:
        """Read something that takes some seconds."""
        request, context = d.BatchGetTripsRequest(slugs=[str(takes)]), rpc.CallContext(deadline=Deadline.after(seconds))
        return rpc.aio_call(self._destinations.BatchGetTrips, request, context=context)

    def book(self) -> Awaitable[Any]:
        """Change something, which takes 2.5 s."""
        context = rpc.CallContext(deadline=Deadline.after(SECONDS))
        return rpc.aio_call(self._bookings.CreateBooking, b.CreateBookingRequest(), context=context)

    async def close(self) -> None:
        await self._channel.close()


@pytest.fixture
async def service(process: Process) -> AsyncIterator[Client]:
    client = Client(process.address)
    yield client
    await client.close()


async def refused_within(seconds: float, call: Callable[[], Awaitable[Any]]) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await call()
    assert time.monotonic() - started < seconds


async def answers_within(seconds: float, call: Callable[[], Awaitable[Any]]) -> None:
    """Return when a call is answered. Refusals before that come at once."""
    end = time.monotonic() + seconds
    while True:
        try:
            await call()
            return
        except Unavailable:
            assert time.monotonic() < end, f"no answer within {seconds:g} s"
            await asyncio.sleep(0.02)


async def test_a_hung_service_costs_two_seconds_once(process: Process, service: Client) -> None:
    """Seen failing (DeadlineExceeded) without a sign of life being asked for, or when the reads are not cancelled.

    Seen failing (each call waits) without the refusal while the breaker is open, and (no answer) if it stays open.
    """
    await service.search()
    process.stop()

    await asyncio.gather(*[refused_within(2.2, service.search) for _ in range(3)])
    for _ in range(20):
        await refused_within(0.05, service.search)
        await refused_within(0.05, service.book)

    process.go_on()
    await answers_within(2, service.search)
    assert (await service.search()).trips[0].slug == "0"


async def test_calls_with_short_deadlines_notice_a_hung_service_too(process: Process, service: Client) -> None:
    """Seen failing (DeadlineExceeded again) if a late answer raises no suspicion."""
    await service.search()
    process.stop()

    with pytest.raises(DeadlineExceeded):
        await service.search(seconds=0.2)
    await asyncio.sleep(1.5)
    await refused_within(0.05, lambda: service.search(seconds=0.2))


async def test_a_slow_service_is_never_refused(service: Client) -> None:
    """It answers health checks meanwhile. Seen failing (Unavailable) if a late answer alone opens the breaker."""
    slow = [asyncio.ensure_future(service.search(takes=2.2)) for _ in range(3)]
    booking = asyncio.ensure_future(service.book())
    while not all(call.done() for call in (*slow, booking)):
        await service.search()
        await asyncio.sleep(0.1)

    assert [(await call).trips[0].slug for call in slow] == ["2.2"] * 3
    assert (await booking).booking.reference == "BOOKED"


async def test_a_change_under_way_keeps_its_deadline(process: Process, service: Client) -> None:
    """It may have taken effect. The service wakes up after the reads were given up, and the answer still arrives.

    Seen failing (given up) when the call is treated as a read.
    """
    await service.search()
    booking = asyncio.ensure_future(service.book())
    await service.search()
    process.stop()
    await refused_within(2.2, service.search)
    assert not booking.done()

    process.go_on()
    assert (await booking).booking.reference == "BOOKED"


async def test_a_service_that_is_killed_while_it_hangs_is_reached_again(process: Process, service: Client) -> None:
    await service.search()
    process.stop()
    await refused_within(2.2, service.search)
    process.kill()
    await refused_within(0.05, service.search)

    process.start()
    await answers_within(2, service.search)


async def test_a_network_that_forgot_its_connections_is_noticed(process: Process) -> None:
    """Seen failing (no answer) without GuardedChannel._renew."""
    network = SwallowingNetwork(process.address)
    service = Client(network.address)
    try:
        await service.search()
        network.swallow()
        await refused_within(2.2, service.search)

        network.go_on(forget=True)
        await answers_within(2, service.search)
    finally:
        await service.close()
        network.close()


async def test_a_cancelled_operation_is_not_taken_for_a_refusal(process: Process, service: Client) -> None:
    await service.search()
    process.stop()
    reading = asyncio.ensure_future(service.search())
    await asyncio.sleep(0)

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_an_answer_is_partial_while_a_service_hangs(
    ask: Any, backends: Backends, process: Process, monkeypatch: pytest.MonkeyPatch, traveller_id: Any, token: str
) -> None:
    """Bookings are shown without their departures, first after 2 s, then at once."""
    booking = backends.world.add_booking(traveller_id)
    query = "{ me { bookings(first: 1) { edges { node { reference departure { id } } } } } }"
    monkeypatch.setenv("DESTINATIONS_GRPC", process.address)
    process.stop()

    for seconds in (2.6, 0.5, 0.5):
        started = time.monotonic()
        answer = await ask(query, token=token)
        assert time.monotonic() - started < seconds
        (edge,) = answer["data"]["me"]["bookings"]["edges"]
        assert edge["node"] == {"reference": booking.reference, "departure": None}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UPSTREAM_UNAVAILABLE"]
    process.go_on()
