"""A loader: it collects the keys that an operation asks for, reads them in one go, and keeps the rows.

It batches as aiodataloader does, with fewer objects for each key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final, Generic, TypeVar

MAX_BATCH: Final = 500

Key = TypeVar("Key")
Row = TypeVar("Row")
Waiter = Callable[[], None]


class Loader(Generic[Key, Row]):
    """The rows of one kind that one operation reads.

    `batch` reads at most MAX_BATCH keys and returns a row for each, in their order. It may return an exception in the
    place of a row. If it raises, all its keys failed. `recall` returns a row that the process knows already, or None.
    Each key is read once: its row, or its error, stays the same for the whole operation.
    """

    def __init__(
        self,
        batch: Callable[[list[Key]], Coroutine[None, None, Sequence[Row | Exception]]],
        *,
        recall: Callable[[Key], Row | None] | None = None,
    ) -> None:
        self._batch = batch
        self._recall = recall
        self._rows: dict[Key, Row | Exception] = {}
        self._waiters: dict[Key, list[Waiter]] = {}  # of keys that are not read yet; keys of a batch share a list
        self._queue: list[Key] = []
        self._running: set[asyncio.Task[None]] = set()

    def get(self, keys: Sequence[Key]) -> list[Row | Exception] | Awaitable[list[Row | Exception]]:
        """Return the row of each key, in their order, with an exception in the place of each row that failed.

        Return a list, without anything to await, if every row is known. Keys of one turn of the event loop are read
        together, whoever asks for them.
        """
        rows = self._rows
        missing = self._missing(keys)
        if not missing:
            return [rows[key] for key in keys]
        later: asyncio.Future[list[Row | Exception]] = asyncio.get_running_loop().create_future()

        def finish() -> None:
            if not later.done() and all(key in rows for key in missing):
                later.set_result([rows[key] for key in keys])

        for waiters in {id(waiters): waiters for waiters in map(self._enqueue, missing)}.values():
            waiters.append(finish)
        return later

    def load(self, key: Key) -> "asyncio.Future[Row]":
        """Return a future of the row of `key`. It raises the error if the row could not be read."""
        row: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        if self._missing((key,)):
            self._enqueue(key).append(lambda: _settle(row, self._rows[key]))
        else:
            _settle(row, self._rows[key])
        return row

    def prime(self, key: Key, row: Row) -> None:
        """Set the row of `key`, so that it is not read."""
        self._rows[key] = row

    def _missing(self, keys: Sequence[Key]) -> list[Key]:
        """Return the keys that must be read. Take over the rows that the process knows."""
        missing = [key for key in keys if key not in self._rows]
        if missing and self._recall is not None:
            recalled = {key: row for key in missing if (row := self._recall(key)) is not None}
            self._rows.update(recalled)
            missing = [key for key in missing if key not in recalled]
        return missing

    def _enqueue(self, key: Key) -> list[Waiter]:
        """Return the waiters of the batch that reads `key`. If no batch reads it, put it into the next one."""
        if (waiters := self._waiters.get(key)) is not None:
            return waiters
        if not self._queue:
            loop = asyncio.get_running_loop()
            # Two turns later: objects that the first turn made may ask for more keys of the same kind.
            loop.call_soon(loop.call_soon, self._start_batches)
        begins_a_batch = len(self._queue) % MAX_BATCH == 0
        waiters = self._waiters[key] = [] if begins_a_batch else self._waiters[self._queue[-1]]
        self._queue.append(key)
        return waiters

    def _start_batches(self) -> None:
        queue, self._queue = self._queue, []
        for start in range(0, len(queue), MAX_BATCH):
            task = asyncio.get_running_loop().create_task(self._read(queue[start : start + MAX_BATCH]))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _read(self, keys: list[Key]) -> None:
        try:
            rows = await self._batch(keys)
        except Exception as error:  # noqa: BLE001 - each caller gets it in the place of its rows
            rows = [error] * len(keys)
        self._rows.update(zip(keys, rows, strict=True))
        waiters = self._waiters[keys[0]]
        for key in keys:
            del self._waiters[key]
        for finish in waiters:
            finish()


def _settle(future: "asyncio.Future[Row]", row: Row | Exception) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(row, Exception):
        future.set_exception(row)
    else:
        future.set_result(row)
