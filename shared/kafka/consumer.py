"""The loop of an event consumer: Kafka record → inbox row and handler in one transaction → offset.

Every record ends in one of three ways. It takes effect (or had before). Or it is at fault: after at most five attempts it
goes to `<topic>.<consumer>.dlq` and into the DeadLetter table, and later events of its key are parked behind it. Or we
are at fault, and the process stops with the offset where it was. A database, service or broker that is away is none of
these: the loop waits, stays in its group, and counts nothing. The offset is stored after the work, so that a killed
consumer repeats, and the inbox makes the repetition harmless.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, repeat
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from django.db import connection, transaction

from shared.cloudevents import BadEvent
from shared.events import topic_name
from shared.inbox import services as inbox
from shared.inbox.models import DeadLetter
from shared.kafka.clients import group_consumer
from shared.kafka.dlq import DeadLetterTopic
from shared.kafka.effects import Effects, cause_of
from shared.kafka.handlers import Handlers, topics_of
from shared.kafka.heartbeat import Heartbeat
from shared.kafka.outcomes import is_away, is_ours, is_passing
from shared.kafka.records import Record

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 5
_AWAY_BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a consumer. More than `deaths` handler failures within `window` and it is the deploy that is bad."""

    backoff: tuple[float, ...] = (0.1, 0.3, 1.0, 2.0)
    deaths: int = 10
    window: timedelta = timedelta(minutes=5)
    batch: int = 50


class TooManyDeadLetters(Exception):
    """So many events died lately that the handlers are to be suspected, not the events."""


class _Stopping(Exception):
    """SIGTERM came while a record waited: it is left for the next start."""


class _Lost(Exception):
    """The record's partition went to another consumer while it waited: it is that one's now."""


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
        self._effects = Effects(name=name, handlers=handlers)
        self._stop = stop or threading.Event()
        self._limits = limits or Limits()
        self._heartbeat = Heartbeat(f"{name}.consumer")
        self._dead_letters = DeadLetterTopic(consumer=name)
        self._assigned: set[tuple[str, int]] = set()
        self._held: list[KafkaMessage] = []
        self._joined = False
        self._next_chores = 0.0
        self._next_commit = 0.0
        self._next_purge = 0.0
        self._kafka: Consumer

    def run(self) -> None:
        """Consume until stopped. Raises TooManyDeadLetters, or what says that this deploy is bad."""
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
                self.turn()
        except _Stopping:
            log.info("consumer_stops_waiting", consumer=self.name)
        finally:
            self._commit(wait=True)
            self._kafka.close()
            self._heartbeat.remove()
            log.info("consumer_stopped", consumer=self.name)

    def turn(self, timeout: float = 0.5) -> None:
        """Take what is there, at most one batch, and do the regular chores."""
        self._heartbeat.beat()
        if records := self._take(timeout):
            self._work(records)
        now = time.monotonic()
        if now >= self._next_commit:
            self._commit()
        if now >= self._next_chores:
            self._next_chores = now + 2.0
            self._chores(now)

    # ------------------------------------------------------------------ taking

    def _take(self, timeout: float) -> list[Record]:
        messages, self._held = self._held, []
        if not messages:
            first = self._kafka.poll(timeout)
            if first is None:
                return []
            messages = [first, *self._kafka.consume(self._limits.batch - 1, timeout=0)]
        records = []
        for message in messages:
            if (error := message.error()) is None:
                records.append(Record.of(message))
            elif is_passing(error):
                log.warning("kafka_away", consumer=self.name, cause=error.str())
            else:
                raise KafkaException(error)
        return records

    def _work(self, records: Sequence[Record]) -> None:
        """Bring every record to its end: together where all is well, else one by one."""
        if len(records) > 1 and self._effects.apply_all(records):
            for record in records:
                self._done(record)
            return
        for record in records:
            if self._stop.is_set():
                raise _Stopping
            if (record.topic, record.partition) in self._assigned:
                try:
                    self._alone(record)
                except _Lost:
                    continue
                self._done(record)

    def _alone(self, record: Record) -> None:
        """Bring one record to its end: effect, dead letter, or an exception that ends the process."""
        attempts = 0
        waits = 0
        while True:
            try:
                self._effects.apply(record)
                return
            except BadEvent as bad:
                self._bury(record, fault=DeadLetter.Fault.MESSAGE, cause=str(bad), attempts=1)
                return
            except Exception as error:
                if is_ours(error):
                    raise
                if is_away(error):
                    log.warning("dependency_away", consumer=self.name, cause=cause_of(error))
                    self._wait(
                        _AWAY_BACKOFF[min(waits, len(_AWAY_BACKOFF) - 1)],
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
                    self._bury(
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

    def _bury(self, record: Record, *, fault: DeadLetter.Fault, cause: str, attempts: int) -> None:
        def bury() -> None:
            recent = inbox.recent_handler_deaths(consumer=self.name, within=self._limits.window)
            if fault == DeadLetter.Fault.HANDLER and recent >= self._limits.deaths:
                raise TooManyDeadLetters(
                    f"{self.name}: {recent} events died in their handlers within {self._limits.window}, the last of"
                    f" {cause}; stopped at {record.topic} {record.partition}/{record.offset} rather than bury more"
                )
            self._dead_letters.publish(record, cause=cause, attempts=attempts)
            with transaction.atomic():
                inbox.bury(
                    consumer=self.name,
                    record=record,
                    fault=fault,
                    cause=cause,
                    attempts=attempts,
                )

        self._until_back(bury, record)
        log.error(
            "event_dead_lettered",
            consumer=self.name,
            event_id=record.attribute("ce_id"),
            type=record.attribute("ce_type"),
            topic=record.topic,
            cause=cause,
            attempts=attempts,
        )

    def _until_back(self, work: Callable[[], None], record: Record) -> None:
        """Do `work`, waiting for as long as something is away."""
        for pause in chain(_AWAY_BACKOFF, repeat(_AWAY_BACKOFF[-1])):
            try:
                return work()
            except Exception as error:
                if not is_away(error):
                    raise
                self._wait(pause, record, ready=False)

    def _retry_letters(self) -> None:
        """Try again, eldest first, the dead letters that staff want tried and what was parked behind them."""
        for topic, key in inbox.waiting_keys(consumer=self.name):
            while not self._stop.is_set() and self._effects.retry_eldest(topic, key):
                self._heartbeat.beat()

    # ------------------------------------------------------------------ chores, waiting, offsets

    def _chores(self, now: float) -> None:
        try:
            self._retry_letters()
            if now >= self._next_purge:
                self._next_purge = now + 3600
                inbox.purge()
            self._kafka.list_topics(timeout=1.0)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("dependency_away", consumer=self.name, cause=cause_of(error))
            self._heartbeat.beat(ready=False)
            connection.close()
            return
        self._heartbeat.beat(ready=self._joined)

    def _wait(self, seconds: float, record: Record, *, ready: bool | None = None) -> None:
        """Wait without leaving the group: partitions are paused, rebalances and SIGTERM are served.

        Raises _Stopping, or _Lost where `record` is no longer ours.
        """
        if ready is False:
            connection.close()
        until = time.monotonic() + seconds
        try:
            while (left := until - time.monotonic()) > 0:
                self._heartbeat.beat(ready=ready)
                self._kafka.pause(self._kafka.assignment())
                if (message := self._kafka.poll(min(left, 0.2))) is not None and message.error() is None:
                    self._held.append(message)
                if self._stop.is_set():
                    raise _Stopping
                if (record.topic, record.partition) not in self._assigned:
                    raise _Lost
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
        except KafkaException as error:  # nothing new to commit, or the broker is away: what is repeated has no effect
            log.debug("offsets_not_committed", consumer=self.name, cause=str(error))

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._joined = True
        self._next_chores = 0.0
        self._assigned |= {(partition.topic, partition.partition) for partition in partitions}

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit(wait=True)
        self._on_lost(_, partitions)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(partition.topic, partition.partition) for partition in partitions}
        self._assigned -= gone
        self._held = [message for message in self._held if (message.topic(), message.partition()) not in gone]
