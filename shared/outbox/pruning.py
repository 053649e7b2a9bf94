"""Deletes delivered rows after a retention, in small batches, in a thread and on a connection of its own.

Delivery never waits for a deletion, and deletions go on during a permanent backlog. Discarded rows count as delivered.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import psycopg
import structlog

from shared.outbox.rows import Connection

BATCH: Final = 1_000
BETWEEN_BATCHES_SECONDS: Final = 0.05
EVERY_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


def prune_batch(connection: Connection, *, retention: timedelta, limit: int = BATCH) -> int:
    """Delete at most `limit` rows that were delivered longer than `retention` ago, the oldest first.

    Return how many were deleted.
    """
    return connection.execute(
        "DELETE FROM outbox_outboxevent WHERE id = ANY(ARRAY(SELECT id FROM outbox_outboxevent"
        " WHERE delivered_at < now() - %s ORDER BY delivered_at LIMIT %s))",
        [retention, limit],
    ).rowcount


class Pruner:
    """Prunes in a thread while `is_active()`. A failure is logged, and the next round tries again."""

    def __init__(self, *, database: str, retention: timedelta, is_active: Callable[[], bool]) -> None:
        self._database = database
        self._retention = retention
        self._is_active = is_active
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-pruner", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its present batch. Does not wait for longer than five seconds."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._is_active():
                try:
                    self._prune()
                except psycopg.Error as error:
                    log.warning("outbox_not_pruned", cause=type(error).__name__)
            self._stopping.wait(EVERY_SECONDS)

    def _prune(self) -> None:
        """Delete batch after batch until no row is old enough."""
        deleted = 0
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute("SET statement_timeout = '10s'")
            connection.execute("SET synchronous_commit = off")
            while not self._stopping.is_set():
                batch = prune_batch(connection, retention=self._retention)
                deleted += batch
                if batch < BATCH:
                    break
                self._stopping.wait(BETWEEN_BATCHES_SECONDS)
        if deleted:
            log.info("outbox_pruned", rows=deleted)
