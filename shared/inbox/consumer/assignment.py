"""The partitions that this consumer has, and how far each of them is finished. Pure: no threads, no clock.

Every assignment of a partition is a new Share with a new generation, even if the same consumer had the partition
before. A record belongs to the share under which it was polled. Once a share ended, nothing of it starts any more and
nothing of it moves an offset.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from shared.kafka.records import Record

Partition = tuple[str, int]  # topic, number


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a record becomes a dead letter."""

    fault: str
    cause: str
    attempts: int


@dataclass(eq=False, slots=True)
class Work:
    """A record on its way: where it waits, how often it was tried, and whether it is finished."""

    record: Record
    share: "Share"
    lane: "Lane"
    attempts: int = 0
    verdict: Verdict | None = None
    finished: bool = False

    @property
    def is_suspect(self) -> bool:
        """Return whether it failed before: it would fail a whole batch."""
        return self.attempts > 0 or self.verdict is not None


@dataclass(eq=False, slots=True)
class Lane:
    """The unfinished records of one key, in their order. The first one waits until `due` after a failure.

    It is `busy` while a worker has records of it, and `queued` while the scheduler knows that it has work.
    """

    share: "Share"
    key: str
    works: deque[Work] = field(default_factory=deque)
    due: float = 0.0
    busy: bool = False
    queued: bool = False


@dataclass(eq=False, slots=True)
class Share:
    """One assignment of a partition. While a dependency is unavailable, it waits until `until`.

    A `closing` share starts nothing more, but its offset still moves. An `ended` one belongs to nobody any more.
    """

    partition: Partition
    generation: int
    closing: bool = False
    ended: bool = False
    until: float = 0.0
    outages: int = 0
    size: int = 0
    bytes: int = 0
    in_hand: int = 0
    lanes: dict[str, Lane] = field(default_factory=dict)
    _begun: deque[Work] = field(default_factory=deque)

    def begin(self, record: Record) -> Work:
        """Return `record` as work in the lane of its key. A record without a key has a lane of its own."""
        lane = self.lanes.get(record.key) if record.key else None
        if lane is None:
            lane = Lane(share=self, key=record.key)
            if record.key:
                self.lanes[record.key] = lane
        work = Work(record=record, share=self, lane=lane)
        lane.works.append(work)
        self._begun.append(work)
        self.size += 1
        self.bytes += len(record.value or b"")
        return work

    def finish(self, work: Work) -> None:
        """Note that the first record of a lane is finished. Raises ValueError for a record that is not the first."""
        if not work.lane.works or work.lane.works[0] is not work:
            raise ValueError(f"{self.partition} {work.record.offset} is not the first unfinished record of its key")
        work.lane.works.popleft()
        work.finished = True
        self.size -= 1
        self.bytes -= len(work.record.value or b"")

    def advance(self) -> int | None:
        """Return the offset before which every record is finished, or None if it did not move since the last call."""
        offset = None
        while self._begun and self._begun[0].finished:
            offset = self._begun.popleft().record.offset + 1
        return None if self.ended else offset

    @property
    def unstored(self) -> int:
        """Return how many records are unfinished, or finished behind an unfinished one."""
        return len(self._begun)


class Assignment:
    """The shares of this consumer."""

    def __init__(self) -> None:
        self._shares: dict[Partition, Share] = {}
        self._generations = count(1)

    def __iter__(self) -> Iterator[Share]:
        return iter(self._shares.values())

    def add(self, partitions: Iterable[Partition]) -> None:
        """Begin a new share of each of these partitions. A share that was there before ends."""
        for partition in partitions:
            self.end([partition])
            self._shares[partition] = Share(partition=partition, generation=next(self._generations))

    def end(self, partitions: Iterable[Partition]) -> list[Share]:
        """End the shares of these partitions and return them."""
        ended = [share for partition in partitions if (share := self._shares.pop(partition, None))]
        for share in ended:
            share.closing = share.ended = True
        return ended

    def of(self, partitions: Iterable[Partition]) -> list[Share]:
        """Return the shares of those of these partitions that the consumer has."""
        return [share for partition in partitions if (share := self._shares.get(partition))]

    def share(self, topic: str, partition: int) -> Share | None:
        """Return the share of a partition, or None if the consumer does not have it."""
        return self._shares.get((topic, partition))
