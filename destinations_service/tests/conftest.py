"""Fixtures of destinations_service: keys, and a test double of bookings_service that answers over real gRPC."""

from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from contracts.travel.bookings.v1 import bookings_pb2, bookings_pb2_grpc
from destinations_service.catalogue import upstream
from destinations_service.catalogue.domain import CapacityBelowSold
from destinations_service.catalogue.selectors.matching import forget_corrections
from shared.auth import testing as auth
from shared.rpc.status import status_of
from shared.text import Locale


@pytest.fixture(scope="session", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Install keys that this process signs with and trusts."""
    auth.install(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def no_remembered_corrections() -> None:
    """Let each test look for typing errors among its own words."""
    forget_corrections()


@dataclass
class Bookings(bookings_pb2_grpc.BookingsServiceServicer):
    """A double of bookings_service: `seats_taken` seats of every departure are held or sold, by `bookings`."""

    seats_taken: int = 0
    bookings: int = 0
    passengers: int = 0
    unavailable: bool = False
    requests: list[tuple[int, int]] = field(default_factory=list)

    def BatchCountBookings(
        self, request: Any, context: grpc.ServicerContext
    ) -> bookings_pb2.BatchCountBookingsResponse:
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")
        return bookings_pb2.BatchCountBookingsResponse(
            departures=[
                bookings_pb2.DepartureBookings(departure_id=id_, bookings=self.bookings, passengers=self.passengers)
                for id_ in request.departure_ids
            ]
        )

    def SetCapacity(self, request: Any, context: grpc.ServicerContext) -> bookings_pb2.SetCapacityResponse:
        self.requests.append((request.capacity, request.version))
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")
        if request.capacity < self.seats_taken:
            refusal = CapacityBelowSold(held=1, sold=self.seats_taken - 1)
            context.abort_with_status(rpc_status.to_status(status_of(refusal, Locale.EN)))
        return bookings_pb2.SetCapacityResponse(capacity=request.capacity)


@pytest.fixture
def bookings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bookings]:
    """Serve the double on a real socket."""
    servicer = Bookings()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    bookings_pb2_grpc.add_BookingsServiceServicer_to_server(servicer, server)
    monkeypatch.setenv("BOOKINGS_GRPC", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    yield servicer
    upstream.channel.close()
    server.stop(0).wait(5)
