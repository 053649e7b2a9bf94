"""Read how far bookings and departures have come: their sequences, without their content."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from bookings_service.bookings.models import Booking, SeatInventory


@dataclass(frozen=True, slots=True)
class BookingSequence:
    """The number of a booking's history entries."""

    booking_id: UUID
    traveller_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class DepartureSequence:
    """The number of changes of a departure's seats, and its free seats: 0 for a closed departure."""

    departure_id: UUID
    sequence: int
    free_seats: int


def booking_sequences(
    *, booking_ids: Collection[UUID], traveller_ids: Collection[UUID], after: UUID | None, limit: int
) -> tuple[list[BookingSequence], bool]:
    """Return the bookings among the ids and all bookings of the travellers, and whether there are more than `limit`.

    They are ordered by id, and begin after the id `after`.
    """
    if not booking_ids and not traveller_ids:
        return [], False
    rows = Booking.objects.filter(Q(id__in=booking_ids) | Q(traveller_id__in=traveller_ids)).order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = [BookingSequence(*row) for row in rows.values_list("id", "traveller_id", "sequence")[: limit + 1]]
    return found[:limit], len(found) > limit


def departure_sequences(*, departure_ids: Collection[UUID]) -> list[DepartureSequence]:
    """Return the known departures among the ids."""
    if not departure_ids:
        return []
    rows = SeatInventory.objects.filter(departure_id__in=departure_ids)
    return [DepartureSequence(row.departure_id, row.sequence, 0 if row.closed else row.free_seats) for row in rows]
