"""The polling thread of a consumer. It alone touches the Kafka client: it polls, pauses, stores and commits offsets.

It never works on a record, so the group never misses it, however long a handler takes.
"""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from shared.events import topic_name
from shared.heartbeat import Heartbeat
from shared.inbox.consumer.assignment import Partition
from shared.inbox.consumer.backlog import Backlog
from shared.inbox.consumer.failures import DeadLetters
from shared.inbox.consumer.housekeeping import Housekeeper
from shared.inbox.consumer.limits import Limits
from shared.inbox.consumer.workers import Workers
from shared.inbox.effects import Effects
from shared.kafka.clients import group_consumer
from shared.kafka.handlers import Handlers, topics_of
from shared.kafka.outcomes import is_transient
from shared.kafka.probe import BrokerProbe
from shared.kafka.records import Record
from shared.kafka.unreadable import Unreadable, is_unreadable

log = structlog.get_logger(__name__)

_POLL_SECONDS: Final = 0.25
_COMMIT_PERIOD: Final = 1.0
_CHUNK: Final = 200
_DRAIN_SECONDS: Final = 3.0  # what a revoked partition waits for its work in hand
_STOP_SECONDS: Final = 1.0  # what a stopping process waits for its work in hand: the launcher kills it after two
_LEAVE_SECONDS: Final = (2.0, 0.3)  # what it waits for the group after that: if the broker answers, and if not
_CHOKED_SECONDS: Final = 1.0
# A silent connection is given up after this, so that consumption goes on soon after a network returns. A paused
# partition drops what the client read ahead, so that is little. And it is given out in the order of its arrival: a
# password reset waits behind what was read ahead of a burst on another topic.
_OPTIONS: Final = {
    "socket.timeout.ms": 6_000,
    "queued.min.messages": 200,
    "queued.max.messages.kbytes": 256,
    "fetch.message.max.bytes": 65_536,
    "fetch.queue.backoff.ms": 20,  # by default a topic that found the queue full is asked for a second later
}


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
        self._stop = stop or threading.Event()
        self._heartbeat = Heartbeat(f"{name}.consumer")
        self._probe = BrokerProbe(f"{name}.consumer")
        self._unreadable = Unreadable()
        limits = limits or Limits()
        effects = Effects(name=name, handlers=handlers, brake=limits.brake)
        self._backlog = Backlog(limits)
        self._workers = Workers(
            name=name,
            backlog=self._backlog,
            effects=effects,
            dead_letters=DeadLetters(name=name, effects=effects),
            threads=limits.threads,
        )
        self._housekeeper = Housekeeper(name=name, backlog=self._backlog, effects=effects)
        self._joined = False
        self._paused: set[Partition] = set()
        self._full_since: float | None = None
        self._next_commit = 0.0
        self._kafka: Consumer

    def run(self) -> None:
        """Consume until stopped. Raises an error that shows a defect of this program or its configuration."""
        self._kafka = group_consumer(self.name, **_OPTIONS)
        self._kafka.subscribe(
            [topic_name(topic) for topic in self._topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        self._probe.start()
        self._workers.start()
        self._housekeeper.start()
        log.info("consumer_started", consumer=self.name, topics=self._topics)
        try:
            while not self._stop.is_set() and self._backlog.failure is None:
                self._turn()
        finally:
            self._finish()
        if self._backlog.failure is not None:
            raise self._backlog.failure

    def _turn(self) -> None:
        ready = self._joined and self._probe.answers and self._backlog.database_answers
        self._heartbeat.beat(ready=ready)
        room = self._backlog.room()
        choked = self._is_choked(room)
        self._pause(everything=choked)
        if room > 0 or choked:
            self._backlog.extend(self._polled(room))
        else:
            self._backlog.wait_for_room(0.1)
        if time.monotonic() >= self._next_commit:
            self._commit()

    # ------------------------------------------------------------------ polling

    def _polled(self, room: int) -> list[Record]:
        """Return the next records, at most as many as there is room for. Raises KafkaException if none can come."""
        first = self._kafka.poll(0.05 if self._paused else _POLL_SECONDS)
        if first is None:
            return []
        messages = [first]
        if room > 1:
            messages += self._kafka.consume(min(room, _CHUNK) - 1, timeout=0)
        records = []
        for message in messages:
            if (error := message.error()) is None:
                records.append(Record.of(message))
            elif is_unreadable(error):
                if self._unreadable.give_up(self._kafka, message):
                    records.append(Record.without_content(message, defect=error.str()))
            elif is_transient(error):
                log.warning("kafka_unavailable", consumer=self.name, cause=error.str())
            else:
                raise KafkaException(error)
        return records

    def _is_choked(self, room: int) -> bool:
        """Return whether there has been no room for a second.

        For a shorter time it is cheaper not to poll, because a paused partition drops what the client read ahead.
        """
        if room > 0:
            self._full_since = None
            return False
        now = time.monotonic()
        self._full_since = self._full_since or now
        return now - self._full_since > _CHOKED_SECONDS

    def _pause(self, *, everything: bool) -> None:
        """Pause the partitions that take no records now, and resume the others."""
        wanted = self._backlog.partitions() if everything else self._backlog.waiting()
        if wanted == self._paused:
            return
        with suppress(KafkaException):  # the partition is gone, and the next poll says so
            self._kafka.pause(_named(wanted - self._paused))
            self._kafka.resume(_named(self._paused - wanted))
        self._paused = wanted

    # ------------------------------------------------------------------ offsets

    def _commit(self, *, wait: bool = False) -> None:
        self._next_commit = time.monotonic() + _COMMIT_PERIOD
        self._store(self._backlog.offsets())
        try:
            if wait:
                self._kafka.commit(asynchronous=False)
            else:
                self._kafka.commit(asynchronous=True)
        except KafkaException as error:  # nothing new, or no broker: a repeated record has no effect
            log.debug("offsets_not_committed", consumer=self.name, cause=str(error))

    def _store(self, offsets: list[TopicPartition]) -> None:
        if offsets:
            with suppress(KafkaException):  # the partition is gone, and its next owner repeats some records
                self._kafka.store_offsets(offsets=offsets)

    # ------------------------------------------------------------------ partitions

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._joined = True
        added = _keys(partitions)
        self._paused |= added  # the client may remember a pause of an earlier assignment: the next turn resumes them
        self._backlog.assign(added)

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = _keys(partitions)
        self._store(self._backlog.drain(gone, seconds=_DRAIN_SECONDS))
        self._commit(wait=True)
        self._end(gone)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        log.warning("partitions_lost", consumer=self.name, partitions=len(partitions))
        self._joined = False
        self._end(_keys(partitions))

    def _end(self, gone: set[Partition]) -> None:
        self._paused -= gone
        self._backlog.end(gone)

    # ------------------------------------------------------------------ the end

    def _finish(self) -> None:
        """Let the workers finish what they have in hand, commit, and leave the group. Do not wait for a hung broker."""
        until = time.monotonic() + _STOP_SECONDS
        self._backlog.stop()
        self._housekeeper.stop()
        self._workers.join(until)
        self._housekeeper.join(until)
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        leaving.join(_LEAVE_SECONDS[0 if self._probe.answers else 1])
        self._probe.stop()
        self._heartbeat.remove()
        log.info("consumer_stopped", consumer=self.name)

    def _leave(self) -> None:
        self._commit(wait=self._probe.answers)
        self._kafka.close()


def _keys(partitions: Iterable[TopicPartition]) -> set[Partition]:
    return {(partition.topic, partition.partition) for partition in partitions}


def _named(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*partition) for partition in partitions]
