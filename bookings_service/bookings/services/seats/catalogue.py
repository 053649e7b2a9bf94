"""Departures held against the catalogue, which owns them: whose news never came, and where more seats are taken than it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import upstream
from bookings_service.bookings.contracts import DepartureSnapshot
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats.departures import learn_departure
from shared.db import database_now
from shared.deadline import Deadline

BATCH = 500
SECONDS = 10.0


class Difference(StrEnum):
    """How a departure is not what the catalogue says."""

    OVERSOLD = "OVERSOLD"  # more seats are taken than it has
    BEHIND = "behind"  # its news did not come, or another capacity was once refused
    CANCELLED_HERE = "cancelled here alone"
    UNKNOWN = "unknown to the catalogue"


@dataclass(frozen=True, slots=True)
class Compared:
    """A departure that is to come, and how it differs from the catalogue; `difference` is None where it does not."""

    departure_id: UUID
    capacity: int
    taken: int
    told: DepartureSnapshot | None
    difference: Difference | None


def compare_with_catalogue() -> Iterator[list[Compared]]:
    """Yield every departure that is to come, in batches, compared with what the catalogue says of it now.

    Raises Unavailable, DeadlineExceeded.
    """
    to_come = SeatInventory.objects.filter(starts_at__gt=database_now()).order_by("departure_id")
    last = UUID(int=0)
    while batch := list(to_come.filter(departure_id__gt=last)[:BATCH]):
        told = upstream.snapshots(departure_ids=[row.departure_id for row in batch], deadline=Deadline.after(SECONDS))
        yield [_compared(row, told.get(row.departure_id)) for row in batch]
        last = batch[-1].departure_id


def take_over(compared: Compared) -> None:
    """Take over what the catalogue said, if anything. Where it has fewer seats than are taken, nobody loses one: an alarm is raised."""
    if compared.told is not None:
        with transaction.atomic():
            learn_departure(snapshot=compared.told, now=database_now())


def _compared(row: SeatInventory, told: DepartureSnapshot | None) -> Compared:
    return Compared(row.departure_id, row.capacity, row.held + row.sold, told, _difference(row, told))


def _difference(row: SeatInventory, told: DepartureSnapshot | None) -> Difference | None:
    if told is None:
        return Difference.UNKNOWN
    if row.cancelled and not told.cancelled:
        return Difference.CANCELLED_HERE
    if row.version > told.version:
        return None  # the catalogue is about to commit what it asked for
    if row.held + row.sold > told.capacity:
        return Difference.OVERSOLD
    here = (row.capacity, row.closed, row.cancelled, row.starts_at)
    return Difference.BEHIND if here != (told.capacity, told.closed, told.cancelled, told.starts_at) else None
