"""The thread that retries dead letters and deletes old rows. It has a database connection of its own."""

import threading
import time
from typing import Final

import structlog
from django.db import connection, connections

from shared.inbox import purging
from shared.inbox.consumer.backlog import Backlog
from shared.inbox.consumer.failures import is_database_unavailable
from shared.inbox.effects import Effects
from shared.kafka.outcomes import is_unavailable, log_unavailable

_PERIOD: Final = 2.0

log = structlog.get_logger(__name__)


class Housekeeper:
    """Every two seconds, retries the dead letters that staff asked for, the oldest of each key first."""

    def __init__(self, *, name: str, backlog: Backlog, effects: Effects) -> None:
        self._name = name
        self._backlog = backlog
        self._effects = effects
        self._stop = threading.Event()
        self._next_purge = 0.0
        self._thread = threading.Thread(target=self._run, name=f"{name}.housekeeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the transaction that it is in. Does not wait."""
        self._stop.set()

    def join(self, until: float) -> None:
        """Wait for the end of the thread, at most until this monotonic time."""
        self._thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._work()
                self._stop.wait(_PERIOD)
        except BaseException as error:  # noqa: BLE001 - the polling thread raises it
            self._backlog.fail_consumer(error)
        finally:
            connections.close_all()

    def _work(self) -> None:
        try:
            for topic, key in self._effects.keys_to_retry():
                self._retry(topic, key)
            if time.monotonic() >= self._next_purge:
                self._next_purge = time.monotonic() + purging.ROUND_EVERY_SECONDS
                purging.purge_round(consumer=self._name)
        except Exception as error:
            if not is_unavailable(error):  # such as a lock that another consumer holds: the next round tries again
                log.warning("housekeeping_failed", consumer=self._name, exc_info=error)
                return
            log_unavailable(error, consumer=self._name)
            if is_database_unavailable(error):
                connection.close()
                self._backlog.wait_for_database()
        else:
            self._backlog.note_database()

    def _retry(self, topic: str, key: str) -> None:
        """Retry the letters of one key until one fails. A dependency that is unavailable delays only this key."""
        try:
            while not self._stop.is_set() and self._effects.retry_oldest(topic, key):
                pass
        except Exception as error:
            if is_database_unavailable(error) or not is_unavailable(error):
                raise
            log_unavailable(error, consumer=self._name)
