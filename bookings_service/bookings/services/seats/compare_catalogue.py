"""Compare the stored departures with the catalogue of destinations_service.

They differ if an event was missed, or if more seats are taken than the catalogue's capacity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import upstream
from bookings_service.bookings.contracts import DepartureSnapshot
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats.follow_departures import apply_departure
from shared.db import database_now
from shared.deadline import Deadline

BATCH = 500
SECONDS = 10.0


class Difference(StrEnum):
    """How a departure differs from the catalogue."""

    OVERSOLD = "OVERSOLD"  # more seats are taken than the catalogue's capacity
    # The stored row is out of date: an event was missed, or held + sold was stored as the capacity, because the
    # catalogue's was too small, and some of those seats are free now.
    OUT_OF_DATE = "out of date here"
    CANCELLED_HERE = "cancelled only in bookings_service"
    UNKNOWN = "unknown to the catalogue"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A future departure, its snapshot from the catalogue, and how they differ: None if they agree."""

    departure_id: UUID
    capacity: int
    taken: int
    snapshot: DepartureSnapshot | None
    difference: Difference | None


def compare_with_catalogue() -> Iterator[list[Comparison]]:
    """Yield every future departure, in batches, compared with the catalogue as it is now.

    Raises Unavailable, DeadlineExceeded.
    """
    future = SeatInventory.objects.filter(starts_at__gt=database_now()).order_by("departure_id")
    last = UUID(int=0)
    while batch := list(future.filter(departure_id__gt=last)[:BATCH]):
        deadline = Deadline.after(SECONDS)
        catalogue = upstream.snapshots(departure_ids=[row.departure_id for row in batch], deadline=deadline)
        yield [_compared(row, catalogue.get(row.departure_id)) for row in batch]
        last = batch[-1].departure_id


def apply_snapshot_of(comparison: Comparison) -> None:
    """Store the catalogue's snapshot of a departure, if it has one.

    If its capacity is below the taken seats, the number of taken seats is stored, and an alarm is raised.
    """
    if comparison.snapshot is not None:
        with transaction.atomic():
            apply_departure(snapshot=comparison.snapshot, now=database_now())


def _compared(row: SeatInventory, snapshot: DepartureSnapshot | None) -> Comparison:
    return Comparison(row.departure_id, row.capacity, row.held + row.sold, snapshot, _difference(row, snapshot))


def _difference(row: SeatInventory, snapshot: DepartureSnapshot | None) -> Difference | None:
    if snapshot is None:
        return Difference.UNKNOWN
    if row.cancelled and not snapshot.cancelled:
        return Difference.CANCELLED_HERE
    if row.version > snapshot.version:
        return None  # the catalogue is about to commit the capacity that bookings_service has accepted
    if row.held + row.sold > snapshot.capacity:
        return Difference.OVERSOLD
    here = (row.capacity, row.closed, row.cancelled, row.starts_at, row.ends_at)
    there = (snapshot.capacity, snapshot.closed, snapshot.cancelled, snapshot.starts_at, snapshot.ends_at)
    return Difference.OUT_OF_DATE if here != there else None
