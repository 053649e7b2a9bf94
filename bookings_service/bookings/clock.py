"""What happens because time passes: two hands that sleep until their next thing is due. Many clocks may run; each row is done by one.

The provider has a hand of its own: while it is silent, every question takes its two seconds, and no hold may wait for that.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from bookings_service.bookings import services
from bookings_service.bookings.services import reconcile_due
from bookings_service.bookings.services.refund import pay_out
from shared.failpoints import failpoint
from shared.heartbeat import Heartbeat

LONGEST_SLEEP: Final = 1.0
STOP_SECONDS: Final = 2.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hand:
    """Jobs that are done one after another, and the query for the seconds until one of them is due, null when none is."""

    jobs: tuple[Callable[[], int], ...]
    next_due: str
    parameters: Callable[[], list[Any]]


def _pay_out() -> int:
    return pay_out.pay_out_due(limit=1)


def _reconcile() -> int:
    return reconcile_due(limit=1)


_SEATS_DUE: Final = """
SELECT extract(epoch FROM min(due) - clock_timestamp()) FROM (
    SELECT min(hold_expires_at) AS due FROM bookings_booking WHERE status = 'PENDING'
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_seatinventory
        WHERE dirty AND (published_at IS NULL OR published_at <= now() - interval '1 second'))
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_booking b JOIN bookings_seatinventory s USING (departure_id)
        WHERE s.cancelled AND b.status IN ('PENDING', 'CONFIRMED'))
    UNION ALL SELECT min(offered_until) FROM bookings_waitlistentry WHERE status = 'OFFERED'
    UNION ALL SELECT min(expires_at) FROM bookings_quote WHERE held_seats > 0
    UNION ALL SELECT now() WHERE EXISTS (SELECT FROM bookings_waitlistentry w JOIN bookings_seatinventory s USING (departure_id)
        WHERE w.status IN ('WAITING', 'OFFERED') AND (s.cancelled OR s.starts_at <= now() + %s)
        OR w.status = 'WAITING' AND NOT s.closed AND s.capacity - s.held - s.sold >= w.seats)
) AS next
"""
_PROVIDER_DUE: Final = """
SELECT extract(epoch FROM min(due) - clock_timestamp()) FROM (
    SELECT min(due_at) AS due FROM payments_refund WHERE status IN ('CREATED', 'PROCESSING')
    UNION ALL SELECT min(asked_at) + %s FROM payments_payment WHERE status IN ('CREATED', 'REQUIRES_ACTION', 'PROCESSING')
) AS next
"""
SEATS: Final = Hand(
    jobs=(
        services.expire_holds,
        services.expire_offers,
        services.expire_taken_offers,
        services.offer_to_waiting,
        services.publish_inventory,
        services.cancel_bookings_of_cancelled,
    ),
    next_due=_SEATS_DUE,
    parameters=lambda: [settings.BOOKING_CLOSES],
)
PROVIDER: Final = Hand(
    jobs=(_pay_out, _reconcile), next_due=_PROVIDER_DUE, parameters=lambda: [settings.PAYMENT_RECONCILE]
)


def run(stop: threading.Event) -> None:
    """Do what is due until stopped. A database that is away is waited for; one job that fails does not keep the others from theirs."""
    heartbeat = Heartbeat("bookings.clock")
    asking = threading.Thread(target=_turn, args=(PROVIDER, stop, lambda **_: None), name="provider", daemon=True)
    asking.start()
    _turn(SEATS, stop, heartbeat.beat)
    asking.join(STOP_SECONDS)  # a question that lasts longer is asked again by the next clock, under the same key
    heartbeat.remove()


def _turn(hand: Hand, stop: threading.Event, beat: Callable[..., None]) -> None:
    while not stop.is_set():
        try:
            tick(hand)
            wait = min(max(seconds_to_next(hand), 0.02), LONGEST_SLEEP)
            beat(ready=True)
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away: %s", type(error).__name__)
            beat(ready=False)
            wait = LONGEST_SLEEP
        finally:
            close_old_connections()
        stop.wait(wait)
    connection.close()


def tick(*hands: Hand) -> int:
    """Do what is due now of these hands, all of them where none is named; return how much that was.

    Nothing is asked of the jobs while nothing is due.
    """
    done = 0
    for hand in hands or (SEATS, PROVIDER):
        for job in hand.jobs if seconds_to_next(hand) <= 0 else ():
            try:
                done += job()
            except DatabaseError:
                raise
            except Exception:  # one poisoned row must not stop holds from ending
                log.exception("a job of the clock failed: %s", job.__name__)
            failpoint("clock.between_jobs")
    return done


def seconds_to_next(hand: Hand) -> float:
    """Return the seconds until the hand's next thing is due, at most LONGEST_SLEEP, negative when it is late."""
    with connection.cursor() as cursor:
        cursor.execute(hand.next_due, hand.parameters())
        left = cursor.fetchone()[0]
    return LONGEST_SLEEP if left is None else float(left)
