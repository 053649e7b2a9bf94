"""Calls to other services for travellers and operators. The admin's calls are in `admin/other_services.py`.

Make a call before a transaction starts, never inside it.

Each service has a circuit breaker. After five failures in a row, calls fail immediately with UPSTREAM_UNAVAILABLE, and
one probe every ten seconds checks whether the service is back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bookings_service.bookings.contracts import CancellationRule, DepartureSnapshot
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.destinations.v1.destinations_pb2_grpc import DestinationsServiceStub
from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.deadline import Deadline
from shared.errors import Unavailable
from shared.money import Money
from shared.rpc import Channel, call
from shared.rpc.breaker import Breaker
from shared.rpc.mapping import from_ts, money_from_proto, text_from_proto
from shared.text import Text

UPSTREAM_SECONDS: Final = 3.0
CHANNELS: Final = {name: Channel(name) for name in ("users", "destinations")}
_users: Final = UsersServiceStub(CHANNELS["users"])
_destinations: Final = DestinationsServiceStub(CHANNELS["destinations"])
_users_breaker: Final = Breaker("users")
_destinations_breaker: Final = Breaker("destinations")


@dataclass(frozen=True, slots=True)
class CatalogueDeparture:
    """A departure as destinations_service, which owns the catalogue, has it now.

    `bookable_from` and `bookable_until` are the trip's booking window. None means that the trip has no such limit.
    """

    id: UUID
    version: int
    capacity: int
    is_open: bool
    is_cancelled: bool
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    adult_price: Money
    child_price: Money
    tax_basis_points: int
    title: Text
    policy: tuple[CancellationRule, ...]
    bookable_from: datetime | None
    bookable_until: datetime | None
    rescheduled_at: datetime | None
    change_reason: str

    def snapshot(self) -> DepartureSnapshot:
        """Return the part that SeatInventory keeps."""
        return DepartureSnapshot(
            departure_id=self.id,
            version=self.version,
            capacity=self.capacity,
            closed=not self.is_open,
            cancelled=self.is_cancelled,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            rescheduled_at=self.rescheduled_at,
            change_reason=self.change_reason,
        )


def check_traveller(*, traveller_id: UUID, token: str, deadline: Deadline) -> None:
    """Check that the traveller may book.

    Raises NotFound, Unavailable, DeadlineExceeded.
    """
    request = users_pb2.CheckTravellerRequest(traveller_id=str(traveller_id))
    with _users_breaker.calling():
        call(_users.CheckTraveller, request, deadline=deadline.capped(UPSTREAM_SECONDS), traveller_token=token)


def departure(*, departure_id: UUID, deadline: Deadline) -> CatalogueDeparture:
    """Return the departure as the catalogue has it now. Raises NotFound, Unavailable, DeadlineExceeded."""
    request = destinations_pb2.GetDepartureRequest(id=str(departure_id))
    with _destinations_breaker.calling():
        answer = call(_destinations.GetDeparture, request, deadline=deadline.capped(UPSTREAM_SECONDS))
    row, trip = answer.departure, answer.trip
    starts_at, ends_at = from_ts(row.starts_at), from_ts(row.ends_at)
    if starts_at is None or ends_at is None:
        raise Unavailable
    return CatalogueDeparture(
        id=UUID(row.id),
        version=row.version,
        capacity=row.capacity,
        is_open=row.status == destinations_pb2.DEPARTURE_STATUS_OPEN,
        is_cancelled=row.status == destinations_pb2.DEPARTURE_STATUS_CANCELLED,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=row.time_zone,
        adult_price=money_from_proto(row.adult_price),
        child_price=money_from_proto(row.child_price),
        tax_basis_points=row.tax_basis_points,
        title=text_from_proto(trip.title),
        policy=tuple(CancellationRule(rule.days_before, rule.refund_percent) for rule in trip.cancellation_policy),
        bookable_from=from_ts(row.bookable_from),
        bookable_until=from_ts(row.bookable_until),
        rescheduled_at=from_ts(row.rescheduled_at),
        change_reason=row.change_reason,
    )


def snapshots(*, departure_ids: Collection[UUID], deadline: Deadline) -> dict[UUID, DepartureSnapshot]:
    """Return the catalogue's snapshots of up to 1,000 departures. Departures that it does not know are missing.

    Raises Unavailable, DeadlineExceeded.
    """
    request = destinations_pb2.BatchGetDeparturesRequest(ids=[str(departure_id) for departure_id in departure_ids])
    with _destinations_breaker.calling():
        answer = call(_destinations.BatchGetDepartures, request, deadline=deadline.capped(UPSTREAM_SECONDS))
    by_id = {}
    for row in answer.departures:
        starts_at = from_ts(row.starts_at)
        if starts_at is None:
            raise Unavailable
        by_id[UUID(row.id)] = DepartureSnapshot(
            departure_id=UUID(row.id),
            version=row.version,
            capacity=row.capacity,
            closed=row.status != destinations_pb2.DEPARTURE_STATUS_OPEN,
            cancelled=row.status == destinations_pb2.DEPARTURE_STATUS_CANCELLED,
            starts_at=starts_at,
            ends_at=from_ts(row.ends_at),
            rescheduled_at=from_ts(row.rescheduled_at),
            change_reason=row.change_reason,
        )
    return by_id
