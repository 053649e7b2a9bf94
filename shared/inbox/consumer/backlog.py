"""The records that were polled and are not finished: assignment and lanes behind one lock, for all threads.

Order per key holds whatever happens to partitions:

- A consumer starts record n of a key only after record n-1 was finished by itself, or before the offset at which its
  share began. An offset is stored only after the records before it.
- A revoked partition ends its share. `revoke` waits a little for what workers have in hand, so that the offset covers
  it. What they do not finish in time, or have in hand when a partition is lost, is done a second time by the next
  owner. That owner begins at the first unfinished record. The inbox row of each event commits with its effect. So the
  second transaction of an event waits for the first one, and then does nothing.
- A worker that was slow drops the rest of its batch, because the share has ended. Even a worker that missed the end
  goes on in the order of the key, and so does the next owner. Whoever comes first, the first effects are in order.
"""

import threading
import time
from collections.abc import Iterable, Sequence

from confluent_kafka import TopicPartition

from shared.backoff import pause_before
from shared.inbox.consumer.assignment import Assignment, Partition, Work
from shared.inbox.consumer.lanes import Lanes
from shared.inbox.consumer.limits import OUTAGE_BACKOFF, Limits
from shared.kafka.records import Record


class Backlog:
    """The unfinished records of this consumer. Every method may be called by any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # there may be work: for the one idle worker that watches
        self._idle = threading.Condition(self._lock)  # nobody watches: for the other idle workers
        self._watched = False
        self._progress = threading.Condition(self._lock)  # a batch was released
        self._assignment = Assignment()
        self._lanes = Lanes(batch=limits.batch)
        self._outages = 0
        self._stopping = False
        self.failure: BaseException | None = None

    # ------------------------------------------------------------------ the polling thread

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Begin a new share of each partition."""
        with self._lock:
            self._assignment.add(partitions)

    def drain(self, partitions: Iterable[Partition], *, seconds: float) -> list[TopicPartition]:
        """Start nothing more of these partitions, wait for what workers have in hand, and return the last offsets.

        After `seconds` it stops waiting. `end` must follow.
        """
        with self._lock:
            shares = self._assignment.of(partitions)
            for share in shares:
                share.closing = True
            self._progress.wait_for(lambda: self._stopping or not any(share.in_hand for share in shares), seconds)
            offsets = [(share.partition, share.advance()) for share in shares]
        return [TopicPartition(*partition, offset) for partition, offset in offsets if offset is not None]

    def end(self, partitions: Iterable[Partition]) -> None:
        """End the shares of these partitions: what is queued is forgotten, and no offset moves any more."""
        with self._lock:
            self._assignment.end(partitions)

    def extend(self, records: Sequence[Record]) -> None:
        """Add polled records. Those of a partition that this consumer does not have are left to its owner."""
        with self._lock:
            now = time.monotonic()
            for record in records:
                share = self._assignment.share(record.topic, record.partition)
                if share is not None:
                    self._lanes.add(share, record, now=now)
            self._work.notify()

    def offsets(self) -> list[TopicPartition]:
        """Return the offsets that moved since the last call."""
        with self._lock:
            offsets = [(share.partition, share.advance()) for share in self._assignment]
        return [TopicPartition(*partition, offset) for partition, offset in offsets if offset is not None]

    def room(self) -> int:
        """Return how many more records may be polled. A partition that waits for a dependency takes no room."""
        with self._lock:
            now = time.monotonic()
            shares = [share for share in self._assignment if share.until <= now]
            if sum(share.bytes for share in shares) >= self._limits.bytes:
                return 0
            return max(0, self._limits.records - sum(share.size for share in shares))

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a batch is released, at most `seconds`."""
        with self._lock:
            self._progress.wait(seconds)

    def waiting(self) -> set[Partition]:
        """Return the partitions that take no more records now: their dependency is unavailable, or they lag behind.

        All of them, if the database is unavailable.
        """
        with self._lock:
            now = time.monotonic()
            everything = self._lanes.blocked_until > now
            return {
                share.partition
                for share in self._assignment
                if everything or share.until > now or share.unstored > self._limits.unstored
            }

    def partitions(self) -> set[Partition]:
        """Return the partitions that this consumer has."""
        with self._lock:
            return {share.partition for share in self._assignment}

    def stop(self) -> None:
        """Let every worker end after the transaction that it is in."""
        with self._lock:
            self._stop()

    # ------------------------------------------------------------------ the workers

    def take(self) -> list[Work]:
        """Wait for a batch and return it. Return nothing when the consumer stops.

        One idle worker watches what is due next. The others sleep until it has work of its own.
        """
        with self._lock:
            while not self._stopping:
                now = time.monotonic()
                if works := self._lanes.take(now):
                    if not self._watched:
                        self._idle.notify()
                    return works
                if self._watched:
                    self._idle.wait()
                    continue
                self._watched = True
                self._work.wait(self._lanes.due_in(now))
                self._watched = False
            return []

    def may_start(self, work: Work) -> bool:
        """Return whether a record may start: nothing before it waits, its share lasts, the consumer does not stop."""
        with self._lock:
            return not self._stopping and self._lanes.may_start(work, time.monotonic())

    def finish(self, works: Sequence[Work]) -> None:
        """Note that these records are finished."""
        with self._lock:
            self._outages = 0
            for work in works:
                work.share.outages = 0
                work.share.finish(work)

    def fail(self, work: Work) -> None:
        """Count a failed attempt: the record waits, longer each time, and its key with it."""
        with self._lock:
            pause = pause_before(work.attempts + 2, self._limits.backoff)
            self._lanes.fail(work, until=time.monotonic() + pause)

    def wait_for_dependency(self, work: Work) -> None:
        """Let the partition of the record wait, longer each time. No attempt is counted."""
        with self._lock:
            share = work.share
            share.outages += 1
            share.until = max(share.until, time.monotonic() + pause_before(share.outages + 1, OUTAGE_BACKOFF))

    def wait_for_database(self) -> None:
        """Let everything wait, longer each time. No attempt is counted."""
        with self._lock:
            if self._lanes.blocked_until <= (now := time.monotonic()):
                self._outages += 1
                self._lanes.block(until=now + pause_before(self._outages + 1, OUTAGE_BACKOFF))

    def note_database(self) -> None:
        """Note that the database answered."""
        with self._lock:
            self._outages = 0

    @property
    def database_answers(self) -> bool:
        """Return whether the last transaction reached the database."""
        return self._outages == 0

    def release(self, works: list[Work]) -> None:
        """Give back a batch: its unfinished records come again."""
        with self._lock:
            self._lanes.release(works, now=time.monotonic())
            self._work.notify()  # something may be due earlier now
            self._progress.notify_all()

    def fail_consumer(self, error: BaseException) -> None:
        """Note an error that ends the process."""
        with self._lock:
            self.failure = self.failure or error
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        for condition in (self._work, self._idle, self._progress):
            condition.notify_all()
