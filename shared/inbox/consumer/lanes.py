"""Which records may be worked on now: those of a key one after another, those of different keys side by side.

Pure: no threads, and `now` is given. The records of a key are a lane. A lane that a worker has gives nothing to other
workers. After a failure its first record waits, and the lanes beside it go on.
"""

from heapq import heappop, heappush
from itertools import count, islice
from typing import Final

from shared.inbox.consumer.assignment import Lane, Share, Work
from shared.inbox.consumer.turns import Turns
from shared.kafka.records import Record

PATIENCE_SECONDS: Final = 0.03


class Lanes:
    """Gives out batches of at most `batch` records.

    While a batch is in work, another one begins only `patience` seconds after the last. So slow handlers are worked on
    side by side. Fast ones are not: more threads would share few records, each would pay for a transaction, and all of
    them would compete for one interpreter.
    """

    def __init__(self, *, batch: int, patience: float = PATIENCE_SECONDS) -> None:
        self._batch = batch
        self._patience = patience
        self._ready = Turns()
        self._waiting: list[tuple[float, int, Lane]] = []
        self._ticket = count()
        self._batches = 0
        self._next_batch = 0.0
        self._until = 0.0

    def add(self, share: Share, record: Record, *, now: float) -> None:
        """Put `record` at the end of its key's lane."""
        lane = share.begin(record).lane
        if not lane.busy and not lane.queued:
            self._queue(lane, now)

    def take(self, now: float) -> list[Work]:
        """Return the next batch, or nothing. The caller works on it and then releases it.

        A record that failed before comes alone.
        """
        works: list[Work] = []
        if self.due_in(now) != 0.0:
            return works
        self._wake(now)
        while self._ready and len(works) < self._batch:
            lane = self._ready[0]
            may_start = not lane.share.closing and lane.share.until <= now
            suspect = may_start and lane.works[0].is_suspect
            if suspect and works:
                break
            self._ready.popleft()
            lane.queued = False
            if not may_start:
                self._queue(lane, now)
                continue
            taken = [lane.works[0]] if suspect else list(islice(lane.works, self._batch - len(works)))
            lane.busy = True
            lane.share.in_hand += len(taken)
            works += taken
            if suspect:
                break
        if works:
            self._batches += 1
            self._next_batch = now + self._patience
        return works

    def may_start(self, work: Work, now: float) -> bool:
        """Return whether a record of a batch may still start: its share lasts, and nothing before it waits."""
        return (
            not work.share.closing
            and work.lane.works[0] is work
            and work.lane.due <= now
            and work.share.until <= now
            and self._until <= now
        )

    def fail(self, work: Work, *, until: float) -> None:
        """Count a failed attempt. The record, and those behind it in its lane, wait until `until`."""
        work.attempts += 1
        work.lane.due = until

    def block(self, *, until: float) -> None:
        """Let everything wait until `until`: the database is unavailable."""
        self._until = until

    def release(self, works: list[Work], *, now: float) -> None:
        """Take back a batch: the records that are not finished come again."""
        self._batches -= 1
        for work in works:
            work.share.in_hand -= 1
        for lane in dict.fromkeys(work.lane for work in works):
            lane.busy = False
            self._queue(lane, now)

    def due_in(self, now: float) -> float | None:
        """Return the seconds until `take` may give something, or None if only a new record can change that."""
        if not self._ready and not self._waiting:
            return None
        due = now if self._ready else self._waiting[0][0]
        if self._batches:
            due = max(due, self._next_batch)
        return max(due, self._until, now) - now

    @property
    def blocked_until(self) -> float:
        """Return until when everything waits."""
        return self._until

    def _queue(self, lane: Lane, now: float) -> None:
        if lane.share.closing:
            return
        if not lane.works:
            lane.share.lanes.pop(lane.key, None)
            return
        lane.queued = True
        due = max(lane.due, lane.share.until)
        if due > now:
            heappush(self._waiting, (due, next(self._ticket), lane))
        else:
            self._ready.append(lane)

    def _wake(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, _, lane = heappop(self._waiting)
            lane.queued = False
            self._queue(lane, now)
