"""The threads that apply records. Each has a database connection of its own and never touches the Kafka client."""

import threading
import time

import structlog
from django.db import connection, connections

from shared.cloudevents import BadEvent
from shared.inbox.consumer.assignment import Work
from shared.inbox.consumer.backlog import Backlog
from shared.inbox.consumer.failures import DeadLetters, is_database_unavailable, verdict_on
from shared.inbox.effects import Effects, cause_of
from shared.kafka.outcomes import is_unavailable, log_unavailable

log = structlog.get_logger(__name__)


class Workers:
    """`threads` workers of consumer `name` on one backlog."""

    def __init__(
        self, *, name: str, backlog: Backlog, effects: Effects, dead_letters: DeadLetters, threads: int
    ) -> None:
        self._name = name
        self._backlog = backlog
        self._effects = effects
        self._dead_letters = dead_letters
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}.consumer-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads. They end after `Backlog.stop`."""
        for thread in self._threads:
            thread.start()

    def join(self, until: float) -> None:
        """Wait for the end of all threads, at most until this monotonic time."""
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        try:
            while works := self._backlog.take():
                try:
                    self._work(works)
                finally:
                    self._backlog.release(works)
        except BaseException as error:  # noqa: BLE001 - the polling thread raises it
            self._backlog.fail_consumer(error)
        finally:
            connections.close_all()

    def _work(self, works: list[Work]) -> None:
        """Handle every record: all in one transaction if that succeeds, else one by one."""
        if len(works) > 1 and self._effects.apply_all([work.record for work in works]):
            self._backlog.finish(works)
            return
        for work in works:
            if self._backlog.may_start(work):
                self._handle(work)

    def _handle(self, work: Work) -> None:
        """Handle one record: it is finished, or it waits. Raises what ends the process."""
        try:
            if work.verdict is None:
                self._effects.apply(work.record)
            else:
                self._dead_letters.keep(work.record, work.verdict)
        except Exception as error:  # noqa: BLE001 - sorted below
            self._failed(work, error)
        else:
            self._backlog.finish([work])

    def _failed(self, work: Work, error: Exception) -> None:
        if is_unavailable(error):
            log_unavailable(error, consumer=self._name)
            self._wait(work, error)
            return
        if work.verdict is not None:  # it could not even be kept, for example because a retry holds the lock of its key
            log.warning("dead_letter_not_kept", consumer=self._name, cause=cause_of(error))
            self._backlog.fail(work)
            return
        attempt = work.attempts + 1
        self._log_failure(work, error, attempt)
        work.verdict = verdict_on(error, attempt=attempt)
        if work.verdict is None:
            self._backlog.fail(work)
        elif self._backlog.may_start(work):  # otherwise the next owner of the partition decides about the record
            self._handle(work)

    def _wait(self, work: Work, error: Exception) -> None:
        if is_database_unavailable(error):
            connection.close()
            self._backlog.wait_for_database()
        else:
            self._backlog.wait_for_dependency(work)

    def _log_failure(self, work: Work, error: Exception, attempt: int) -> None:
        log.warning(
            "event_failed",
            consumer=self._name,
            event_id=work.record.attribute("ce_id"),
            type=work.record.attribute("ce_type"),
            attempt=attempt,
            exc_info=None if isinstance(error, BadEvent) else error,
        )
