"""Read how far bookings and departures have come: their sequences, without their content."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.statement import Statement


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
    rows = _BOOKING_SEQUENCES.all(
        booking_ids=list(booking_ids), traveller_ids=list(traveller_ids), after=after, limit=limit + 1
    )
    return rows[:limit], len(rows) > limit


def departure_sequences(*, departure_ids: Collection[UUID]) -> list[DepartureSequence]:
    """Return the known departures among the ids."""
    return _DEPARTURE_SEQUENCES.all(departure_ids=list(departure_ids)) if departure_ids else []


_BOOKING_SEQUENCES: Final = Statement(
    BookingSequence,
    """
    SELECT id, traveller_id, sequence FROM bookings_booking
    WHERE (id = ANY(%(booking_ids)s::uuid[]) OR traveller_id = ANY(%(traveller_ids)s::uuid[]))
        AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid)
    ORDER BY id LIMIT %(limit)s""",
)
_DEPARTURE_SEQUENCES: Final = Statement(
    DepartureSequence,
    """
    SELECT departure_id, sequence, CASE WHEN closed THEN 0 ELSE capacity - held - sold END
    FROM bookings_seatinventory WHERE departure_id = ANY(%(departure_ids)s)""",
)
