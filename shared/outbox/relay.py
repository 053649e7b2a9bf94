"""The relay: the process that brings a service's committed events to Kafka.

One relay of a service is active, by a session advisory lock, and standbys wait for the lock. No transaction is open
during the wait for the broker. A NOTIFY wakes the relay at once, and a sweep every second finds rows without a NOTIFY.
`Delivery` sends and marks the rows, and says what always holds.

A relay that freezes loses its session, and so its lock, after LEASE_SECONDS: PostgreSQL ends a session that sends no
statement for so long. A standby then takes over. When the frozen relay continues, its first statement fails, and what
its producer still sends is only a repeat.

A hung or missing broker is noticed within 3 s by a probe. The relay then is not ready, gives its producer up, keeps its
heartbeat and its lock, and goes on with a new producer as soon as the broker answers.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import psycopg
import structlog
from confluent_kafka import KafkaException

from shared.backoff import pause_before
from shared.db import lock_key
from shared.heartbeat import Heartbeat
from shared.kafka import topics
from shared.kafka.clients import producer
from shared.kafka.probe import BrokerProbe
from shared.outbox import rows
from shared.outbox.delivery import Delivery, ProducerLost
from shared.outbox.pruning import Pruner
from shared.outbox.rows import Connection
from shared.outbox.signals import CHANNEL

SWEEP_SECONDS: Final = 1.0
LEASE_SECONDS: Final = 10
_SLICE_SECONDS: Final = 0.25
_REPORT_SECONDS: Final = 0.05
_FINISH_SECONDS: Final = 5.0
_BACKOFF: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_LOCK: Final = lock_key("outbox-relay")
_PRODUCER: Final = {
    # Rows that a topic does not take are reported soon, so that their topic can wait with back-off.
    "delivery.timeout.ms": 10_000,
    "topic.metadata.propagation.max.ms": 1_000,
}

log = structlog.get_logger(__name__)


class Relay:
    """Runs until `stop()`. `database` is a libpq connection string of the service's own database."""

    def __init__(
        self,
        *,
        database: str,
        name: str,
        retention: timedelta = timedelta(days=7),
        lease_seconds: int = LEASE_SECONDS,
        make_producer: Callable[..., Any] = producer,
    ) -> None:
        self._database = database
        self._source = name.split(".", 1)[0]
        self._lease_seconds = lease_seconds
        self._make_producer = make_producer
        self._heartbeat = Heartbeat(name)
        self._stopping = threading.Event()
        self._active = threading.Event()
        self._probe = BrokerProbe(name)
        self._pruner = Pruner(database=database, retention=retention, is_active=self._active.is_set)

    def stop(self) -> None:
        """End the loop after the reports of the rows in flight."""
        self._stopping.set()

    def run(self) -> None:
        """Relay until stopped. Wait, with back-off, while the database or the broker is unavailable."""
        self._probe.start()
        self._pruner.start()
        failures = 0
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._database, autocommit=True) as connection:
                    rows.configure(connection, lease_seconds=self._lease_seconds)
                    self._wait_for_turn(connection)
                    failures = 0
                    self._active.set()
                    self._relay(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("database_unavailable", cause=type(error).__name__)
            except KafkaException as error:  # no producer can be made
                log.warning("producer_lost", cause=str(error))
            finally:
                self._active.clear()
            if not self._stopping.is_set():
                failures += 1
                self._heartbeat.beat(ready=False)
                self._stopping.wait(pause_before(failures + 1, _BACKOFF))
        self._probe.stop()
        self._pruner.stop()
        self._heartbeat.remove()

    def _wait_for_turn(self, connection: Connection) -> None:
        while not self._stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
            if row and row[0]:
                return
            self._heartbeat.beat(ready=True)  # a standby is ready too
            self._stopping.wait(SWEEP_SECONDS)

    def _relay(self, connection: Connection) -> None:
        """Relay with one producer after another, until stopped."""
        connection.execute(f"LISTEN {CHANNEL}")
        is_checked = False
        while not self._stopping.is_set():
            if not self._probe.wait(answers=True, seconds=_SLICE_SECONDS):
                self._heartbeat.beat(ready=False)
                connection.execute("SELECT")  # keeps the session, and so the lock
                continue
            if not is_checked:
                topics.warn_of_drift(topics.of_service(self._source))
                is_checked = True
            sender = self._make_producer(f"{self._source}.relay", **_PRODUCER)
            try:
                self._deliver(connection, Delivery(connection=connection, producer=sender, source=self._source))
            except (ProducerLost, KafkaException) as error:
                log.warning("producer_lost", cause=str(error))
                self._heartbeat.beat(ready=False)
                self._stopping.wait(_SLICE_SECONDS)
            finally:
                sender.purge()
                sender.flush(1.0)  # takes the reports of the purged rows, which would keep the producer alive

    def _deliver(self, connection: Connection, delivery: Delivery) -> None:
        while not self._stopping.is_set():
            if not self._probe.answers:
                raise ProducerLost("the broker does not answer")
            worked = delivery.step(wait=_REPORT_SECONDS)
            self._heartbeat.beat(ready=True)
            if not worked:
                self._wait_for_rows(connection)
        until = time.monotonic() + _FINISH_SECONDS
        while delivery.in_flight and self._probe.answers and time.monotonic() < until:
            delivery.step(wait=_REPORT_SECONDS, fetch=False)

    def _wait_for_rows(self, connection: Connection) -> None:
        """Wait for a NOTIFY, at most SWEEP_SECONDS, and less if the broker stops answering."""
        until = time.monotonic() + SWEEP_SECONDS
        while self._probe.answers and not self._stopping.is_set() and time.monotonic() < until:
            if list(connection.notifies(timeout=_SLICE_SECONDS, stop_after=1)):
                return
