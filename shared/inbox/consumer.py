"""The loop of an event consumer: Kafka record → inbox row and handler in one transaction → offset.

Every record has one of three outcomes:
- It takes effect, or it took effect before.
- The record is at fault. After at most five attempts it goes to `<topic>.<consumer>.dlq` and into the DeadLetter table,
  and later events of its key are parked behind it.
- It waits as a letter, because its type is braked, or only a newer release knows it. See shared.inbox.effects.

An unavailable database, service or broker, or a missing migration, is not an outcome: the loop waits, stays in its
group, and counts no attempt.
The offset is stored after the work. A killed consumer therefore repeats some records, and the inbox makes that
harmless.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from django.db import connection

from shared.cloudevents import BadEvent
from shared.events import topic_name
from shared.heartbeat import Heartbeat
from shared.inbox import purging
from shared.inbox.brake import BrakeLimits
from shared.inbox.dlq import DeadLetterTopic
from shared.inbox.effects import MAX_ATTEMPTS, Effects, cause_of
from shared.inbox.models import DeadLetter
from shared.kafka.clients import group_consumer
from shared.kafka.handlers import Handlers, topics_of
from shared.kafka.outcomes import is_transient, is_unavailable, log_unavailable
from shared.kafka.records import Record

log = structlog.get_logger(__name__)

_UNAVAILABLE_BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a consumer."""

    backoff: tuple[float, ...] = (0.1, 0.3, 1.0, 2.0)
    batch: int = 50
    brake: BrakeLimits = field(default_factory=BrakeLimits)


class _Stopping(Exception):
    """SIGTERM came while a record waited. The next start takes the record again."""


class _PartitionLost(Exception):
    """The record's partition went to another consumer while the record waited. That consumer handles it."""


class EventConsumer:
    """Consumes the topics of `handlers` as group and inbox `name`, until `stop` is set."""

    def __init__(
        self,
        *,
        name: str,
        handlers: Handlers,
        stop: threading.Event | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self._topics = topics_of(handlers)
        self._limits = limits or Limits()
        self._effects = Effects(name=name, handlers=handlers, brake=self._limits.brake)
        self._stop = stop or threading.Event()
        self._heartbeat = Heartbeat(f"{name}.consumer")
        self._dead_letters = DeadLetterTopic(consumer=name)
        self._assigned: set[tuple[str, int]] = set()
        self._taken: list[KafkaMessage] = []  # while partitions were paused
        self._joined = False
        self._next_housekeeping = 0.0
        self._next_commit = 0.0
        self._next_purge = 0.0
        self._kafka: Consumer

    def run(self) -> None:
        """Consume until stopped."""
        self._kafka = group_consumer(self.name)
        self._kafka.subscribe(
            [topic_name(topic) for topic in self._topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        log.info("consumer_started", consumer=self.name, topics=self._topics)
        try:
            while not self._stop.is_set():
                self.run_once()
        except _Stopping:
            log.info("consumer_stops_waiting", consumer=self.name)
        finally:
            self._commit(wait=True)
            self._kafka.close()
            self._heartbeat.remove()
            log.info("consumer_stopped", consumer=self.name)

    def run_once(self, timeout: float = 0.5) -> None:
        """Handle at most one batch of records, then commit, retry and purge if it is time."""
        self._heartbeat.beat()
        if records := self._take(timeout):
            self._work(records)
        now = time.monotonic()
        if now >= self._next_commit:
            self._commit()
        if now >= self._next_housekeeping:
            self._next_housekeeping = now + 2.0
            self._housekeep(now)

    # ------------------------------------------------------------------ taking

    def _take(self, timeout: float) -> list[Record]:
        messages, self._taken = self._taken, []
        if not messages:
            first = self._kafka.poll(timeout)
            if first is None:
                return []
            messages = [first, *self._kafka.consume(self._limits.batch - 1, timeout=0)]
        records = []
        for message in messages:
            if (error := message.error()) is None:
                records.append(Record.of(message))
            elif is_transient(error):
                log.warning("kafka_unavailable", consumer=self.name, cause=error.str())
            else:
                raise KafkaException(error)
        return records

    def _work(self, records: Sequence[Record]) -> None:
        """Handle every record: all in one transaction if that succeeds, else one by one."""
        if len(records) > 1 and self._effects.apply_all(records):
            for record in records:
                self._done(record)
            return
        for record in records:
            if self._stop.is_set():
                raise _Stopping
            if (record.topic, record.partition) in self._assigned:
                try:
                    self._handle(record)
                except _PartitionLost:
                    continue
                self._done(record)

    def _handle(self, record: Record) -> None:
        """Handle one record: it takes effect, waits or becomes a dead letter."""
        attempts = 0
        waits = 0
        while True:
            try:
                self._effects.apply(record)
                return
            except BadEvent as bad:
                self._dead_letter(record, fault=DeadLetter.Fault.MESSAGE, cause=str(bad), attempts=1)
                return
            except Exception as error:
                if is_unavailable(error):
                    log_unavailable(error, consumer=self.name)
                    self._wait(
                        _UNAVAILABLE_BACKOFF[min(waits, len(_UNAVAILABLE_BACKOFF) - 1)],
                        record,
                        ready=False,
                    )
                    waits += 1
                    continue
                attempts += 1
                log.warning(
                    "event_failed",
                    consumer=self.name,
                    event_id=record.attribute("ce_id"),
                    type=record.attribute("ce_type"),
                    attempt=attempts,
                    exc_info=error,
                )
                if attempts >= MAX_ATTEMPTS:
                    self._dead_letter(
                        record,
                        fault=DeadLetter.Fault.HANDLER,
                        cause=cause_of(error),
                        attempts=attempts,
                    )
                    return
                self._wait(
                    self._limits.backoff[min(attempts, len(self._limits.backoff)) - 1],
                    record,
                )

    # ------------------------------------------------------------------ dead letters

    def _dead_letter(self, record: Record, *, fault: DeadLetter.Fault, cause: str, attempts: int) -> None:
        def keep() -> None:
            self._dead_letters.publish(record, cause=cause, attempts=attempts)
            self._effects.give_up(record, fault=fault, cause=cause, attempts=attempts)

        self._until_available(keep, record)
        log.error(
            "event_dead_lettered",
            consumer=self.name,
            event_id=record.attribute("ce_id"),
            type=record.attribute("ce_type"),
            topic=record.topic,
            cause=cause,
            attempts=attempts,
        )

    def _until_available(self, work: Callable[[], None], record: Record) -> None:
        """Do `work`. Wait and repeat it while a dependency is unavailable."""
        for pause in chain(_UNAVAILABLE_BACKOFF, repeat(_UNAVAILABLE_BACKOFF[-1])):
            try:
                return work()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                self._wait(pause, record, ready=False)

    def _retry_letters(self) -> None:
        """Retry the dead letters that staff asked for and the events parked behind them, the oldest first."""
        for topic, key in self._effects.keys_to_retry():
            while not self._stop.is_set() and self._effects.retry_oldest(topic, key):
                self._heartbeat.beat()

    # ------------------------------------------------------------------ housekeeping, waiting, offsets

    def _housekeep(self, now: float) -> None:
        try:
            self._retry_letters()
            if now >= self._next_purge:
                self._next_purge = now + purging.ROUND_EVERY_SECONDS
                purging.purge_round(consumer=self.name)
            self._kafka.list_topics(timeout=1.0)
        except Exception as error:
            if not is_unavailable(error):
                raise
            log_unavailable(error, consumer=self.name)
            self._heartbeat.beat(ready=False)
            connection.close()
            return
        self._heartbeat.beat(ready=self._joined)

    def _wait(self, seconds: float, record: Record, *, ready: bool | None = None) -> None:
        """Wait without leaving the group: partitions are paused, rebalances and SIGTERM still take effect.

        Raises _Stopping, or _PartitionLost if another consumer has the record's partition now.
        """
        if ready is False:
            connection.close()
        until = time.monotonic() + seconds
        try:
            while (remaining := until - time.monotonic()) > 0:
                self._heartbeat.beat(ready=ready)
                self._kafka.pause(self._kafka.assignment())
                if (message := self._kafka.poll(min(remaining, 0.2))) is not None and message.error() is None:
                    self._taken.append(message)
                if self._stop.is_set():
                    raise _Stopping
                if (record.topic, record.partition) not in self._assigned:
                    raise _PartitionLost
        finally:
            self._kafka.resume(self._kafka.assignment())

    def _done(self, record: Record) -> None:
        if (record.topic, record.partition) in self._assigned:
            self._kafka.store_offsets(offsets=[TopicPartition(record.topic, record.partition, record.offset + 1)])

    def _commit(self, *, wait: bool = False) -> None:
        self._next_commit = time.monotonic() + 1.0
        try:
            if wait:
                self._kafka.commit(asynchronous=False)
            else:
                self._kafka.commit(asynchronous=True)
        except KafkaException as error:  # nothing new, or no broker: a repeated record has no effect
            log.debug("offsets_not_committed", consumer=self.name, cause=str(error))

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._joined = True
        self._next_housekeeping = 0.0
        self._assigned |= {(partition.topic, partition.partition) for partition in partitions}

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit(wait=True)
        self._on_lost(_, partitions)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(partition.topic, partition.partition) for partition in partitions}
        self._assigned -= gone
        self._taken = [message for message in self._taken if (message.topic(), message.partition()) not in gone]
