"""Wait for columns whose values arrive later. All columns that are complete at one time continue together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final


class Waiting:
    """The columns that an execution waits for.

    Awaitables start when they are added: a coroutine becomes a task, a future of a loader needs none.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._columns = 0
        self._complete: list[_Column] = []
        self._wake: asyncio.Future[None] | None = None

    def add(self, values: list[Any], indices: list[int], resume: Callable[[list[Any]], None]) -> None:
        """Replace the awaitables in `values` at `indices` by their results or exceptions, then call `resume`."""
        self._columns += 1
        for index in indices:
            values[index] = self._future(values[index])
        _Column(self, values, indices, resume).advance()

    async def settle(self) -> None:
        """Resume the columns, and the columns that they add, until none is left."""
        try:
            while self._columns:
                if not self._complete:
                    self._wake = self._loop.create_future()
                    await self._wake
                columns, self._complete = self._complete, []
                self._columns -= len(columns)
                for column in columns:
                    column.resume(column.values)
        finally:
            for task in self._tasks:
                task.cancel()

    def completed(self, column: "_Column") -> None:
        """Note that a column has all its values."""
        self._complete.append(column)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _future(self, awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.ensure_future(awaitable, loop=self._loop)
        if isinstance(future, asyncio.Task):
            self._tasks.add(future)
            future.add_done_callback(self._tasks.discard)
        return future


class _Column:
    """A column whose values at `left` are futures."""

    __slots__ = ("_left", "_waiting", "resume", "values")

    def __init__(
        self, waiting: Waiting, values: list[Any], indices: list[int], resume: Callable[[list[Any]], None]
    ) -> None:
        self._waiting: Final = waiting
        self.values: Final = values
        self._left: Final = indices[::-1]
        self.resume: Final = resume

    def advance(self, _done: object = None) -> None:
        """Take the results that are there. Continue when the next one arrives.

        Futures of one batch become ready together, so a column needs about one callback for each batch.
        """
        values, left = self.values, self._left
        while left:
            future: asyncio.Future[Any] = values[left[-1]]
            if not future.done():
                future.add_done_callback(self.advance)
                return
            values[left.pop()] = _outcome(future)
        self._waiting.completed(self)


def _outcome(future: asyncio.Future[Any]) -> Any:
    """Return the result or the exception of a future that is done."""
    if future.cancelled():
        return asyncio.CancelledError()
    error = future.exception()
    return future.result() if error is None else error
