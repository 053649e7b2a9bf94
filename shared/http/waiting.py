"""What waits in this service, for its health endpoint: numbers only, asked of the database at most every 5 s.

Kafka is asked in a thread, because a broker that hangs must not delay the answer. Nothing here makes a service unready.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from shared import backlog
from shared.events import CONSUMERS
from shared.kafka import state

FRESH_SECONDS: Final = 5.0


class Waiting:
    """Answers with numbers that are at most FRESH_SECONDS old while somebody asks. Many threads may ask."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._due = 0.0
        self._counts: dict[str, Any] = {}
        self._to_read: int | None = None
        self._thread: threading.Thread | None = None

    def numbers(self) -> dict[str, Any]:
        """Return what waits. A number that is not known is left out, or None."""
        if self._asking.acquire(blocking=False):  # otherwise another thread asks, and its former answer will do
            try:
                self._refresh()
            finally:
                self._asking.release()
        shown = {**self._counts, "heartbeat_seconds": _heartbeats(settings.SERVICE_NAME)}
        return {**shown, "to_read": self._to_read} if settings.SERVICE_NAME in CONSUMERS else shown

    def _refresh(self) -> None:
        if time.monotonic() < self._due:
            return
        self._counts = _counts()
        self._due = time.monotonic() + FRESH_SECONDS
        if settings.SERVICE_NAME in CONSUMERS and not (self._thread and self._thread.is_alive()):
            self._thread = threading.Thread(target=self._ask_broker, name="consumer-lag", daemon=True)
            self._thread.start()

    def _ask_broker(self) -> None:
        try:
            self._to_read = state.lag(settings.SERVICE_NAME)
        except KafkaException:
            self._to_read = None


def _counts() -> dict[str, Any]:
    def run(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    try:
        return backlog.read(run).counts()
    except DatabaseError:
        return {}
    finally:
        close_old_connections()


def _heartbeats(service: str) -> dict[str, float]:
    """Return the age in seconds of the heartbeat of each process of the service on this machine."""
    folder = os.environ.get("RUN_DIR")
    ages = {}
    for path in Path(folder).glob(f"{service}.*.heartbeat") if folder else ():
        try:
            ages[path.stem] = round(max(0.0, time.time() - path.stat().st_mtime), 1)
        except OSError:  # its process has just stopped
            continue
    return ages
