"""The loops of `run_clock`: each sleeps until its next job is due, then runs its jobs.

Several clocks may run at the same time. The jobs that call the provider have a loop of their own. Each call may block
for two seconds and must not delay the expiry of holds.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from bookings_service.bookings.services.booking.expire_holds import EXPIRE_HOLDS
from bookings_service.bookings.services.cancellation.by_departure import CANCEL_BOOKINGS_OF_CANCELLED_DEPARTURES
from bookings_service.bookings.services.departure_change.follow import MOVE_BOOKINGS
from bookings_service.bookings.services.job import Job
from bookings_service.bookings.services.payment.reconcile import RECONCILE
from bookings_service.bookings.services.refund.pay_out import PAY_OUT
from bookings_service.bookings.services.seats.offering import OFFER_TO_WAITING
from bookings_service.bookings.services.seats.publish import PUBLISH_INVENTORY
from bookings_service.bookings.services.waitlist.expire_offers import EXPIRE_OFFERS, EXPIRE_TAKEN_OFFERS
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
        """Return SQL, with its parameters, that selects the seconds until the first job is due.

        It selects NULL if no job will be due.
        """
        queries = [job.next_due().query.sql_with_params() for job in self.jobs]
        union = " UNION ALL ".join(f"({sql})" for sql, _ in queries)
        seconds = f"SELECT extract(epoch FROM min(due) - clock_timestamp()) FROM ({union}) AS next(due)"  # noqa: S608
        return seconds, [parameter for _, parameters in queries for parameter in parameters]


DATABASE_LOOP: Final = Loop(
    jobs=(
        EXPIRE_HOLDS,
        EXPIRE_OFFERS,
        EXPIRE_TAKEN_OFFERS,
        OFFER_TO_WAITING,
        PUBLISH_INVENTORY,
        CANCEL_BOOKINGS_OF_CANCELLED_DEPARTURES,
        MOVE_BOOKINGS,
    )
)
PROVIDER_LOOP: Final = Loop(jobs=(PAY_OUT, RECONCILE))


def run(stop: threading.Event) -> None:
    """Run both loops until `stop` is set.

    If the database is unavailable, the loops wait for it. If a job fails for another reason, the jobs after it run all
    the same.
    """
    heartbeat = Heartbeat("bookings.clock")
    provider = threading.Thread(
        target=_repeat, args=(PROVIDER_LOOP, stop, lambda **_: None), name="provider", daemon=True
    )
    provider.start()
    _repeat(DATABASE_LOOP, stop, heartbeat.beat)
    provider.join(STOP_SECONDS)  # a call that lasts longer is repeated by the next clock, under the same key
    heartbeat.remove()


def _repeat(loop: Loop, stop: threading.Event, beat: Callable[..., None]) -> None:
    due_query = loop.due_query()
    while not stop.is_set():
        try:
            wait = min(_seconds(due_query), LONGEST_SLEEP)
            if wait <= 0 and not run_jobs(loop):
                wait = (
                    LONGEST_SLEEP  # the failed job is still due: without a pause, the loop would run it again at once
                )
            beat(ready=True)
        except (DatabaseError, InterfaceError) as error:
            log.warning("clock.database_unavailable", error=type(error).__name__)
            beat(ready=False)
            wait = LONGEST_SLEEP
        finally:
            close_old_connections()
        stop.wait(max(wait, SHORTEST_SLEEP))
    connection.close()


def run_jobs(loop: Loop) -> bool:
    """Run each job of the loop once.

    A job that fails is logged, and the next job runs. Return whether every job succeeded.

    Raises OperationalError or InterfaceError if the database is unavailable.
    """
    succeeded = True
    for job in loop.jobs:
        try:
            job.run()
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one row that always fails must not keep holds from expiring
            log.exception("clock.job_failed", job=job.name)
            succeeded = False
        failpoint("clock.between_jobs")
    return succeeded


def seconds_to_next(loop: Loop) -> float:
    """Return the seconds until the loop's next job is due.

    Return LONGEST_SLEEP if no job will be due, and a negative number if a job is late.
    """
    return _seconds(loop.due_query())


def _seconds(due_query: tuple[str, list[Any]]) -> float:
    with connection.cursor() as cursor:
        cursor.execute(*due_query)
        seconds = cursor.fetchone()[0]
    return LONGEST_SLEEP if seconds is None else float(seconds)
