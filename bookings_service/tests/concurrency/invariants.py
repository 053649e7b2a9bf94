"""The invariants of the whole database. Each is a statement that returns the rows that break it."""

from collections.abc import Mapping
from typing import Final

from django.db import connection

from bookings_service.bookings.domain.booking import TRANSITIONS
from bookings_service.bookings.services.seats import audit as seats
from bookings_service.payments import audit as ledger

_RULES: Final[Mapping[str, str]] = {
    "no seat is sold twice": (
        "SELECT departure_id FROM bookings_seatinventory WHERE held < 0 OR sold < 0 OR held + sold > capacity"
    ),
    "a booking's history counts 1, 2, 3 …": """
        SELECT b.reference FROM bookings_booking b LEFT JOIN bookings_bookingevent e ON e.booking_id = b.id
        GROUP BY b.id HAVING count(e.id) <> b.sequence OR max(e.sequence) <> b.sequence""",
    "every history entry is one event": """
        SELECT coalesce(e.booking_id::text, o.key) FROM bookings_bookingevent e
        FULL JOIN (SELECT * FROM outbox_outboxevent WHERE topic = 'travel.bookings.booking') o
            ON o.key = e.booking_id::text AND o.sequence = e.sequence
        WHERE e.id IS NULL OR o.id IS NULL OR o.type <> 'travel.bookings.' || e.type || '.v1'""",
    "the newest history entry has the status of the booking": """
        SELECT b.reference FROM bookings_booking b JOIN bookings_bookingevent e ON e.booking_id = b.id AND e.sequence = b.sequence
        WHERE (e.status, e.reason) <> (b.status, b.reason)""",
    "a booking has at most one live payment": """
        SELECT booking_id FROM payments_payment WHERE status IN ('CREATED', 'REQUIRES_ACTION', 'PROCESSING')
        GROUP BY booking_id HAVING count(*) > 1""",
    "no more is refunded than was captured": "SELECT id FROM payments_payment WHERE refunded_minor > amount_minor OR refunded_minor < 0",
    "seats are as many as active passengers": """
        SELECT b.reference FROM bookings_booking b JOIN bookings_passenger p ON p.booking_id = b.id
        WHERE b.status <> 'CANCELLED' GROUP BY b.id HAVING count(*) FILTER (WHERE p.cancelled_at IS NULL) <> b.seats""",
    "of a cancelled booking only the fees are kept": """
        SELECT b.reference FROM bookings_booking b JOIN payments_payment p ON p.booking_id = b.id AND p.status = 'SUCCEEDED'
        WHERE b.status = 'CANCELLED' GROUP BY b.id HAVING sum(p.amount_minor - p.refunded_minor) <> (
            SELECT coalesce(sum(amount_minor), 0) FROM payments_ledgerentry
            WHERE booking_id = b.id AND kind = 'FEE' AND account = 'TRAVELLER')""",
    "a used quote has exactly one booking": """
        SELECT q.id FROM bookings_quote q LEFT JOIN bookings_booking b ON b.quote_id = q.id
        GROUP BY q.id HAVING count(b.id) <> (q.used_at IS NOT NULL)::int""",
    "an idempotency key points to what it made": """
        SELECT k.key FROM idempotency_idempotencykey k WHERE NOT EXISTS (SELECT FROM bookings_booking WHERE id = k.result)
            AND NOT EXISTS (SELECT FROM payments_payment WHERE id = k.result)
            AND NOT EXISTS (SELECT FROM payments_refund WHERE id = k.result)""",
    "every booking has a seat inventory": """
        SELECT reference FROM bookings_booking b
        WHERE NOT EXISTS (SELECT FROM bookings_seatinventory s WHERE s.departure_id = b.departure_id)""",
    "a live booking has the dates of its departure, unless the clock will move it": """
        SELECT reference FROM bookings_booking b JOIN bookings_seatinventory s USING (departure_id)
        WHERE b.status <> 'CANCELLED' AND NOT s.moved AND NOT s.cancelled
            AND (b.starts_at, b.ends_at) <> (s.starts_at, s.ends_at)""",
    "nobody waits for seats that are free": """
        SELECT w.id FROM bookings_waitlistentry w JOIN bookings_seatinventory s USING (departure_id)
        WHERE w.status = 'WAITING' AND NOT s.closed AND w.seats <= s.capacity - s.held - s.sold""",
    "an offer that was taken is held by one quote, until it is booked": """
        SELECT w.id FROM bookings_waitlistentry w LEFT JOIN bookings_quote q ON q.waitlist_entry_id = w.id
            AND (q.held_seats > 0 OR q.used_at IS NOT NULL)
        WHERE w.status = 'TAKEN' GROUP BY w.id HAVING count(q.id) <> 1""",
}
_MOVES: Final = {(a.value, b.value) for (a, _), b in TRANSITIONS.items()}


def broken() -> list[str]:
    """Return every invariant that does not hold, with what breaks it. Return an empty list if all hold."""
    problems = []
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(f"SELECT %s, subject::text FROM ({query}) AS t(subject)" for query in _RULES.values()),
            list(_RULES),
        )
        problems += [f"{rule}: {subject}" for rule, subject in cursor.fetchall()]
        cursor.execute(
            "SELECT booking_id, status, lag(status) OVER (PARTITION BY booking_id ORDER BY sequence) FROM bookings_bookingevent"
        )
        problems += [
            f"a status moves as its table allows: {booking_id} {before} → {after}"
            for booking_id, after, before in cursor.fetchall()
            if (before is None and after != "PENDING")
            or (before is not None and before != after and (before, after) not in _MOVES)
        ]
    problems += [f"seat counters match the rows: {drift}" for drift in seats.drifts()]
    problems += [f"{broken.rule}: {broken.subject} {broken.detail}" for broken in ledger.discrepancies()]
    return problems
