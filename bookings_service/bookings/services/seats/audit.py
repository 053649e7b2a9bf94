"""Compare the seat counters with the rows that they count, in one statement for any number of bookings."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection, transaction

from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.offering import offer_free_seats
from shared.db import database_now

log = structlog.get_logger(__name__)

# Held: unpaid bookings, offers to the waiting list, quotes that took one. Sold: confirmed bookings.
_COUNTED = """
SELECT s.departure_id, s.capacity, s.held, s.sold, coalesce(b.held, 0) + coalesce(w.held, 0) + coalesce(q.held, 0), coalesce(b.sold, 0)
FROM bookings_seatinventory s
LEFT JOIN (SELECT departure_id, sum(seats) FILTER (WHERE status = 'PENDING') AS held, sum(seats) FILTER (WHERE status = 'CONFIRMED') AS sold
    FROM bookings_booking WHERE status IN ('PENDING', 'CONFIRMED') {only} GROUP BY departure_id) b USING (departure_id)
LEFT JOIN (SELECT departure_id, sum(seats) AS held
    FROM bookings_waitlistentry WHERE status = 'OFFERED' {only} GROUP BY departure_id) w USING (departure_id)
LEFT JOIN (SELECT departure_id, sum(held_seats) AS held
    FROM bookings_quote WHERE held_seats > 0 {only} GROUP BY departure_id) q USING (departure_id)
WHERE (s.held, s.sold) IS DISTINCT FROM (coalesce(b.held, 0) + coalesce(w.held, 0) + coalesce(q.held, 0), coalesce(b.sold, 0))
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """A departure whose counters differ from its rows."""

    departure_id: UUID
    capacity: int
    held: int
    sold: int
    counted_held: int
    counted_sold: int

    @property
    def is_oversold(self) -> bool:
        """Whether the rows take more seats than the capacity: staff must decide."""
        return self.counted_held + self.counted_sold > self.capacity


def drifts() -> list[Drift]:
    """Return every departure whose counters differ from its rows. One statement reads them all at the same instant."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(only="") + " ORDER BY s.departure_id")
        return [Drift(*row) for row in cursor.fetchall()]


def correct_counters(*, departure_id: UUID) -> Drift | None:
    """Correct the counters under the departure's lock. Return what was wrong, or None if nothing is wrong.

    Every change of seats takes the same lock, so no change is counted in part. An oversold departure keeps every seat
    that is taken and sells no more: its capacity becomes the number of taken seats, and an alarm is raised.
    """
    only = "AND departure_id = %(departure)s"
    with transaction.atomic(), connection.cursor() as cursor:
        inventory.lock(departure_id=departure_id)
        cursor.execute(_COUNTED.format(only=only) + " AND s.departure_id = %(departure)s", {"departure": departure_id})
        row = cursor.fetchone()
        if row is None:
            return None
        drift = Drift(*row)
        taken = drift.counted_held + drift.counted_sold
        if drift.is_oversold:
            log.error(
                "alarm:departure_oversold", departure_id=str(departure_id), taken=taken, capacity=drift.capacity
            )  # fmt: skip
        inventory.set_counters(
            departure_id=departure_id, held=drift.counted_held, sold=drift.counted_sold,
            capacity=max(drift.capacity, taken),
        )  # fmt: skip
        offer_free_seats(departure_id=departure_id, now=database_now())
        return drift


def departures_count() -> int:
    """Return the number of departures."""
    return SeatInventory.objects.count()
