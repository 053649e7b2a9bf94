"""Seat counters held against the rows they count. Set-based: a hundred thousand bookings are one statement."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.release import offer_free_seats
from shared.db import database_now

log = logging.getLogger(__name__)

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
    """A departure whose counters are not what its rows say."""

    departure_id: UUID
    capacity: int
    held: int
    sold: int
    should_hold: int
    should_sell: int

    @property
    def is_oversold(self) -> bool:
        """Whether the rows themselves take more seats than there are: people must be asked."""
        return self.should_hold + self.should_sell > self.capacity


def drifts() -> list[Drift]:
    """Return every departure whose counters differ from its rows, as one statement sees them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(only="") + " ORDER BY s.departure_id")
        return [Drift(*row) for row in cursor.fetchall()]


def mend_counters(*, departure_id: UUID) -> Drift | None:
    """Set the counters right under the departure's lock; return what was wrong, None where nothing was (any more).

    Every change of a booking's seats takes the same lock before it commits, so what is counted under it is whole. An oversold departure
    keeps every seat that is taken and sells nothing more: its capacity becomes what is taken, and an alarm is raised.
    """
    only = "AND departure_id = %(departure)s"
    with transaction.atomic(), connection.cursor() as cursor:
        inventory.lock(departure_id=departure_id)
        cursor.execute(_COUNTED.format(only=only) + " AND s.departure_id = %(departure)s", {"departure": departure_id})
        row = cursor.fetchone()
        if row is None:
            return None
        drift = Drift(*row)
        taken = drift.should_hold + drift.should_sell
        if drift.is_oversold:
            log.error("alarm: departure %s is oversold: %s seats are taken of %s", departure_id, taken, drift.capacity)
        inventory.set_counters(
            departure_id=departure_id, held=drift.should_hold, sold=drift.should_sell,
            capacity=max(drift.capacity, taken),
        )  # fmt: skip
        offer_free_seats(departure_id=departure_id, now=database_now())
        return drift


def departures_count() -> int:
    """Return how many departures have seats."""
    return SeatInventory.objects.count()
