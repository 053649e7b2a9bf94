"""The catalogue's calls to bookings_service: to lower a capacity, and to count whom a change affects."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from destinations_service.catalogue.domain import CapacityBelowSold
from shared.deadline import Deadline
from shared.errors import Conflict, NotFound
from shared.rpc import Channel, call

channel: Final = Channel("bookings")
_bookings: Final = BookingsServiceStub(channel)


@dataclass(frozen=True, slots=True)
class Affected:
    """The live bookings of a departure, and their passengers who still travel."""

    bookings: int
    passengers: int


def count_bookings(*, departure_id: UUID) -> Affected:
    """Return how many bookings and passengers a departure has. Raises Unavailable, DeadlineExceeded."""
    request = bookings_pb2.BatchCountBookingsRequest(departure_ids=[str(departure_id)])
    answer = call(_bookings.BatchCountBookings, request, deadline=Deadline.after(3))
    counted = next(iter(answer.departures), bookings_pb2.DepartureBookings())
    return Affected(bookings=counted.bookings, passengers=counted.passengers)


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> None:
    """Have bookings_service apply a lower capacity before it is committed here.

    Do nothing if bookings_service does not know the departure yet: then no seat of it is held or sold.
    Raises CapacityBelowSold with both numbers, Unavailable, DeadlineExceeded.
    """
    request = bookings_pb2.SetCapacityRequest(departure_id=str(departure_id), capacity=capacity, version=version)
    try:
        call(_bookings.SetCapacity, request, deadline=Deadline.after(3))
    except NotFound:
        return
    except Conflict as refusal:
        if refusal.code == CapacityBelowSold.code:
            raise CapacityBelowSold(field="capacity", **refusal.params) from refusal
        raise
