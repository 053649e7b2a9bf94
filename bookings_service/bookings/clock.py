"""What happens because time passes: one loop that sleeps until the next thing is due. Many may run; each row is done by one."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from bookings_service.bookings import services
from bookings_service.payments import refunding
from bookings_service.payments.services import reconcile_due
from shared.failpoints import failpoint
from shared.kafka.heartbeat import Heartbeat

LONGEST_SLEEP: Final = 1.0
log = logging.getLogger(__name__)

JOBS: Final[tuple[Callable[[], int], ...]] = (
    services.expire_holds,
    services.expire_offers,
    services.expire_taken_offers,
    services.offer_to_waiting,
    services.publish_inventory,
    refunding.pay_out_due,
    reconcile_due,
    services.cancel_bookings_of_cancelled,
)

# Seconds until something is due, by the database's clock; null when nothing is.
_NEXT_DUE = """
SELECT extract(epoch FROM min(due) - clock_timestamp()) FROM (
    SELECT min(hold_expires_at) AS due FROM bookings_booking WHERE status = 'PENDING'
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_seatinventory
        WHERE dirty AND (published_at IS NULL OR published_at <= now() - interval '1 second'))
    UNION ALL SELECT min(due_at) FROM payments_refund WHERE status IN ('CREATED', 'PROCESSING')
    UNION ALL SELECT min(asked_at) + %s FROM payments_payment WHERE status IN ('CREATED', 'REQUIRES_ACTION', 'PROCESSING')
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_booking b JOIN bookings_seatinventory s USING (departure_id)
        WHERE s.cancelled AND b.status IN ('PENDING', 'CONFIRMED'))
    UNION ALL SELECT min(offered_until) FROM bookings_waitlistentry WHERE status = 'OFFERED'
    UNION ALL SELECT min(expires_at) FROM bookings_quote WHERE held_seats > 0
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_waitlistentry w JOIN bookings_seatinventory s USING (departure_id)
        WHERE w.status IN ('WAITING', 'OFFERED') AND (s.cancelled OR s.starts_at <= now() + %s)
        OR w.status = 'WAITING' AND NOT s.closed AND s.capacity - s.held - s.sold >= w.seats)
) AS next
"""


def run(stop: threading.Event) -> None:
    """Do what is due until stopped. A database that is away is waited for; one job that fails does not keep the others from theirs."""
    heartbeat = Heartbeat("bookings.clock")
    while not stop.is_set():
        try:
            tick()
            wait = min(max(seconds_to_next(), 0.02), LONGEST_SLEEP)
            heartbeat.beat(ready=True)
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away: %s", type(error).__name__)
            heartbeat.beat(ready=False)
            wait = LONGEST_SLEEP
        finally:
            close_old_connections()
        stop.wait(wait)
    heartbeat.remove()


def tick() -> int:
    """Do everything that is due now; return how much that was. Nothing is asked of the jobs while nothing is due."""
    if seconds_to_next() > 0:
        return 0
    done = 0
    for job in JOBS:
        try:
            done += job()
        except DatabaseError:
            raise
        except Exception:  # one poisoned row must not stop holds from ending
            log.exception("a job of the clock failed: %s", job.__name__)
        failpoint("clock.between_jobs")
    return done


def seconds_to_next() -> float:
    """Return the seconds until the next thing is due, at most LONGEST_SLEEP, negative when it is late."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE, [settings.PAYMENT_RECONCILE, settings.BOOKING_CLOSES])  # type: ignore[list-item]  # psycopg knows intervals
        left = cursor.fetchone()[0]
    return LONGEST_SLEEP if left is None else float(left)
