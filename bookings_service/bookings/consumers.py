"""Handlers of the events of destinations_service. Each runs once per event, in the transaction of its inbox row."""

from uuid import UUID

from bookings_service.bookings.contracts import DepartureSnapshot
from bookings_service.bookings.services import apply_departure
from contracts.travel.events.v1 import destinations_pb2 as pb
from shared.db import database_now
from shared.kafka import Received, handles, parsing
from shared.rpc.mapping import from_ts


@handles(pb.DepartureScheduled, pb.DepartureChanged, pb.DepartureCancelled)
def on_departure(
    event: pb.DepartureScheduled | pb.DepartureChanged | pb.DepartureCancelled, *, received: Received
) -> None:
    """Take over a newer version of a departure. If it is cancelled or moved, the clock changes its bookings later."""
    apply_departure(snapshot=_snapshot(event.departure), now=database_now())


@parsing()
def _snapshot(departure: pb.DepartureSnapshot) -> DepartureSnapshot:
    starts_at, ends_at = from_ts(departure.starts_at), from_ts(departure.ends_at)
    if starts_at is None or ends_at is None:
        raise ValueError("the departure has no start or end")
    return DepartureSnapshot(
        departure_id=UUID(departure.departure_id),
        version=departure.version,
        capacity=departure.capacity,
        closed=departure.state != pb.DEPARTURE_STATE_OPEN,
        cancelled=departure.state == pb.DEPARTURE_STATE_CANCELLED,
        starts_at=starts_at,
        ends_at=ends_at,
        rescheduled_at=from_ts(departure.rescheduled_at),
        change_reason=departure.change_reason,
    )
