"""What the catalogue asks of bookings_service: whether a capacity fits what is held and sold."""

from uuid import UUID

from contracts.travel.bookings.v1 import bookings_pb2, bookings_pb2_grpc
from destinations_service.catalogue.domain import CapacityBelowSold
from shared.deadline import Deadline
from shared.errors import Conflict, NotFound
from shared.rpc import ServiceClient

_bookings = ServiceClient("bookings", bookings_pb2_grpc.BookingsServiceStub)


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> None:
    """Have bookings_service apply a lower capacity before it is committed here.

    Raises CapacityBelowSold with both numbers, Unavailable, DeadlineExceeded. A departure it has not heard of yet has nothing sold.
    """
    request = bookings_pb2.SetCapacityRequest(departure_id=str(departure_id), capacity=capacity, version=version)
    try:
        _bookings.call("SetCapacity", request, deadline=Deadline.after(3))
    except NotFound:
        return
    except Conflict as refusal:
        if refusal.code == CapacityBelowSold.code:
            raise CapacityBelowSold(field="capacity", **refusal.params) from refusal
        raise
