"""A consumer without Kafka's client and without threads: the real backlog, workers and effects on the broker's log."""

from typing import Any

from notifications_service.tests.events.anything.broker import Broker
from shared.inbox.brake import BrakeLimits
from shared.inbox.consumer.assignment import Work
from shared.inbox.consumer.backlog import Backlog
from shared.inbox.consumer.limits import Limits
from shared.inbox.consumer.workers import Workers
from shared.inbox.effects import Effects
from shared.kafka.handlers import Handlers
from shared.kafka.records import Record

AT_ONCE = (0.0,)


class _NoTopic:
    """Keeps dead letters in the database only."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    def keep(self, record: Record, verdict: Any) -> None:
        self._effects.give_up(record, fault=verdict.fault, cause=verdict.cause, attempts=verdict.attempts)


class Group:
    """The consumer group on one topic: what is committed, and its present consumer, which may die at any time."""

    def __init__(self, broker: Broker, topic: str, handlers: Handlers) -> None:
        self._broker = broker
        self._topic = topic
        self._handlers = handlers
        self._committed: dict[int, int] = {}
        self.restart()

    def restart(self) -> None:
        """Let a new consumer begin at the committed offsets. What the former one has in hand is forgotten."""
        brake = BrakeLimits(pauses=AT_ONCE)
        self.effects = Effects(name="notifications", handlers=self._handlers, brake=brake)
        limits = Limits(threads=0, batch=3, backoff=AT_ONCE, brake=brake)
        self._backlog = Backlog(limits)
        self._workers = Workers(
            name="notifications", backlog=self._backlog, effects=self.effects,
            dead_letters=_NoTopic(self.effects), threads=0,
        )  # fmt: skip
        self._position: dict[int, int] = {}

    def poll(self) -> int:
        """Take the records that came since, of partitions that are newly assigned too. Return how many."""
        polled = 0
        for (topic, partition), log in self._broker.logs.items():
            if topic == self._topic:
                if partition not in self._position:
                    self._backlog.assign([(topic, partition)])
                    self._position[partition] = self._committed.get(partition, 0)
                self._backlog.extend(log[self._position[partition] :])
                polled += len(log) - self._position[partition]
                self._position[partition] = len(log)
        return polled

    def work(self, batches: int) -> None:
        """Work on at most this many batches."""
        while batches and self._unfinished():
            works: list[Work] = self._backlog.take()
            try:
                self._workers._work(works)
            finally:
                self._backlog.release(works)
            batches -= 1

    def commit(self) -> None:
        """Commit the offsets of what is finished."""
        for place in self._backlog.offsets():
            self._committed[place.partition] = place.offset

    def lose(self) -> None:
        """Lose every partition and get it back: the same consumer begins at the committed offsets."""
        self._backlog.end({(self._topic, partition) for partition in self._position})
        self._position.clear()

    def retry_letters(self) -> None:
        """Retry what is due, as the housekeeper does."""
        for topic, key in self.effects.keys_to_retry():
            while self.effects.retry_oldest(topic, key):
                pass

    def _unfinished(self) -> int:
        return sum(share.size for share in self._backlog._assignment)
