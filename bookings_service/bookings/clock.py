"""What happens because time passes: two loops that sleep until their next job is due. Several clocks may run at once.

A second loop talks to the provider. Each call may block for two seconds and must not delay the expiry of holds.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from bookings_service.bookings.services.booking.expire import EXPIRE_HOLDS
from bookings_service.bookings.services.cancellation.departures import CANCEL_BOOKINGS_OF_CANCELLED
from bookings_service.bookings.services.jobs import Job
from bookings_service.bookings.services.payment.reconcile import RECONCILE
from bookings_service.bookings.services.refund.pay_out import PAY_OUT
from bookings_service.bookings.services.seats.publish import PUBLISH_INVENTORY
from bookings_service.bookings.services.waitlist.expire import EXPIRE_OFFERS, EXPIRE_TAKEN_OFFERS, OFFER_TO_WAITING
from shared.failpoints import failpoint
from shared.heartbeat import Heartbeat

LONGEST_SLEEP: Final = 1.0
SHORTEST_SLEEP: Final = 0.02
STOP_SECONDS: Final = 2.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Jobs that run one after another as soon as one of them is due."""

    jobs: tuple[Job, ...]

    def due_query(self) -> tuple[str, list[Any]]:
        """Return the statement, with its parameters, for the seconds until the first job is due; null if no job is."""
        queries = [job.next_due().query.sql_with_params() for job in self.jobs]
        union = " UNION ALL ".join(f"({sql})" for sql, _ in queries)
        seconds = f"SELECT extract(epoch FROM min(due) - clock_timestamp()) FROM ({union}) AS next(due)"  # noqa: S608
        return seconds, [parameter for _, parameters in queries for parameter in parameters]


SEATS: Final = Loop(
    jobs=(
        EXPIRE_HOLDS,
        EXPIRE_OFFERS,
        EXPIRE_TAKEN_OFFERS,
        OFFER_TO_WAITING,
        PUBLISH_INVENTORY,
        CANCEL_BOOKINGS_OF_CANCELLED,
    )
)
PROVIDER: Final = Loop(jobs=(PAY_OUT, RECONCILE))


def run(stop: threading.Event) -> None:
    """Run both loops until `stop` is set.

    If the database is unavailable, the loops wait for it. A job that fails does not keep the others from running.
    """
    heartbeat = Heartbeat("bookings.clock")
    provider = threading.Thread(target=_repeat, args=(PROVIDER, stop, lambda **_: None), name="provider", daemon=True)
    provider.start()
    _repeat(SEATS, stop, heartbeat.beat)
    provider.join(STOP_SECONDS)  # a call that lasts longer is repeated by the next clock, under the same key
    heartbeat.remove()


def _repeat(loop: Loop, stop: threading.Event, beat: Callable[..., None]) -> None:
    due_query = loop.due_query()
    while not stop.is_set():
        try:
            wait = min(_seconds(due_query), LONGEST_SLEEP)
            if wait <= 0:
                _run_jobs(loop)
            beat(ready=True)
        except (DatabaseError, InterfaceError) as error:
            log.warning("clock.database_unavailable", error=type(error).__name__)
            beat(ready=False)
            wait = LONGEST_SLEEP
        finally:
            close_old_connections()
        stop.wait(max(wait, SHORTEST_SLEEP))
    connection.close()


def tick(*loops: Loop) -> int:
    """Run the jobs of these loops, or of both, if one of them is due. Return how much they did."""
    return sum(_run_jobs(loop) for loop in loops or (SEATS, PROVIDER) if seconds_to_next(loop) <= 0)


def _run_jobs(loop: Loop) -> int:
    done = 0
    for job in loop.jobs:
        try:
            done += job.run()
        except DatabaseError:
            raise
        except Exception:  # one row that always fails must not stop holds from ending
            log.exception("clock.job_failed", job=job.name)
        failpoint("clock.between_jobs")
    return done


def seconds_to_next(loop: Loop) -> float:
    """Return the seconds until the loop's next job is due: LONGEST_SLEEP if no job is, negative if one is late."""
    return _seconds(loop.due_query())


def _seconds(due_query: tuple[str, list[Any]]) -> float:
    with connection.cursor() as cursor:
        cursor.execute(*due_query)
        seconds = cursor.fetchone()[0]
    return LONGEST_SLEEP if seconds is None else float(seconds)
