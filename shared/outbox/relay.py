"""The relay: sends undelivered rows to Kafka in order, and marks each row on the broker's delivery report.

One relay of a service is active, by a session advisory lock, and standbys wait for the lock. No transaction is open
during the wait for the broker. A NOTIFY wakes the relay at once, and a sweep every second finds rows without a NOTIFY.
If a relay is killed between sending and marking, the next one sends again: delivery is at least once, and first
occurrences are in order for each key.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import psycopg
import structlog
from confluent_kafka import KafkaException

from shared.cloudevents import Envelope
from shared.db import lock_key
from shared.events import is_required, topic_name
from shared.failpoints import failpoint
from shared.heartbeat import Heartbeat
from shared.kafka.clients import producer
from shared.outbox.signals import CHANNEL

SWEEP_SECONDS: Final = 1.0
BATCH: Final = 500
DELIVERY_SECONDS: Final = 30.0
KEEP_DELIVERED: Final = "7 days"
PURGE_EVERY_SECONDS: Final = 600.0
_LOCK: Final = lock_key("outbox-relay")

log = structlog.get_logger(__name__)


class Producer(Protocol):
    """The part of a Kafka producer that the relay uses."""

    @property
    def produce(self) -> Callable[..., None]: ...

    def poll(self, timeout: float) -> int: ...
    def flush(self, timeout: float) -> int: ...
    def purge(self) -> None: ...


class _Row(NamedTuple):
    id: int
    topic: str
    envelope: Envelope


class DeliveryFailed(Exception):
    """The broker did not take a batch. Nothing after the failure counts as sent."""


class Relay:
    """Runs until `stop()`. `database` is a libpq connection string of the service's own database."""

    def __init__(self, *, database: str, name: str) -> None:
        self._database = database
        self._source = name.split(".", 1)[0]
        self._heartbeat = Heartbeat(name)
        self._stopping = threading.Event()
        self._purge_due = time.monotonic() + PURGE_EVERY_SECONDS

    def stop(self) -> None:
        """End the loop after the current batch."""
        self._stopping.set()

    def run(self) -> None:
        """Relay until stopped. Wait, with back-off, while the database or the broker is unavailable."""
        pause = 0.2
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._database, autocommit=True) as connection:
                    pause = 0.2
                    self._wait_for_turn(connection)
                    self._relay(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("database_unavailable", cause=type(error).__name__)
            except (DeliveryFailed, KafkaException) as error:
                log.warning("batch_not_delivered", cause=str(error))
            if not self._stopping.is_set():
                self._heartbeat.beat(ready=False)
                self._stopping.wait(pause)
                pause = min(pause * 2, 5.0)
        self._heartbeat.remove()

    def _wait_for_turn(self, connection: psycopg.Connection) -> None:
        while not self._stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
            if row and row[0]:
                return
            self._heartbeat.beat(ready=True)  # a standby is ready too
            self._stopping.wait(SWEEP_SECONDS)

    def _relay(self, connection: psycopg.Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        sender = producer(client=f"{self._source}.relay")
        while not self._stopping.is_set():
            rows = undelivered(connection, source=self._source)
            if rows:
                deliver(connection, sender, rows)
            self._heartbeat.beat(ready=True)
            if len(rows) < BATCH:
                self._purge(connection)
                for _ in connection.notifies(timeout=SWEEP_SECONDS, stop_after=1):
                    pass

    def _purge(self, connection: psycopg.Connection) -> None:
        if time.monotonic() < self._purge_due:
            return
        self._purge_due = time.monotonic() + PURGE_EVERY_SECONDS
        connection.execute(
            "DELETE FROM outbox_outboxevent WHERE id IN (SELECT id FROM outbox_outboxevent"
            " WHERE delivered_at < now() - %s::interval ORDER BY delivered_at LIMIT 10000)",
            [KEEP_DELIVERED],
        )


def undelivered(connection: psycopg.Connection, *, source: str) -> list[_Row]:
    """Return the next rows to send, in order. No watermark, because ids are assigned before transactions commit."""
    rows = connection.execute(
        "SELECT id, topic, event_id, type, key, sequence, occurred_at, value, traceparent, request_id"
        " FROM outbox_outboxevent WHERE delivered_at IS NULL ORDER BY id LIMIT %s",
        [BATCH],
    )
    return [
        _Row(
            id=row[0],
            topic=topic_name(row[1]),
            envelope=Envelope(
                id=str(row[2]), type=row[3], source=source, key=row[4], sequence=row[5], occurred_at=row[6],
                value=row[7].encode(), traceparent=row[8], request_id=row[9],
                required=is_required(row[3]),
            ),
        )
        for row in rows
    ]  # fmt: skip


def deliver(connection: psycopg.Connection, sender: Producer, rows: Sequence[_Row]) -> None:
    """Send `rows` and mark those that the broker confirmed. Raises DeliveryFailed if it did not confirm all.

    After a failure the queue is emptied, so that no later event of a key overtakes a failed one. The unmarked rows are
    sent again, from the first, by a new producer.
    """
    delivered: list[int] = []
    failures: list[str] = []

    def report(row_id: int) -> Any:
        def callback(error: Any, _: Any) -> None:
            if error is None:
                delivered.append(row_id)
            else:
                failures.append(str(error))

        return callback

    for row in rows:
        sender.produce(
            row.topic,
            key=row.envelope.key.encode(),
            value=row.envelope.value,
            headers=row.envelope.headers(),
            on_delivery=report(row.id),
        )
    unanswered = sender.flush(DELIVERY_SECONDS)
    failpoint("relay.delivered")
    if delivered:
        connection.execute("UPDATE outbox_outboxevent SET delivered_at = now() WHERE id = ANY(%s)", [delivered])
    if unanswered or failures:
        sender.purge()
        raise DeliveryFailed(
            failures[0] if failures else f"{unanswered} events unanswered after {DELIVERY_SECONDS:.0f} s"
        )
