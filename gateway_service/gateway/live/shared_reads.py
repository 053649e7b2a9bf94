"""Reads that subscribers share: a change of one booking wakes all its subscribers, and they ask the same question."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")


class SharedReads:
    """Makes one read for all who ask the same before it begins. Used on one event loop.

    A read that has begun is never shared, so an answer is always newer than the question.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Future[Any]] = {}

    async def read(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Return the answer of `read`, or of the `read` of whoever asked with the same `key` just before.

        `key` must name everything that the answer depends on, such as the token. Raises what the read raises.
        """
        answer = self._next.get(key)
        if answer is None:
            loop = asyncio.get_running_loop()
            answer = self._next[key] = loop.create_future()
            # The others who were woken together with this subscriber ask in the same turn of the loop.
            loop.call_soon(self._begin, key, read, answer)
        result: T = await asyncio.shield(answer)  # a subscriber that leaves ends nobody else's read
        return result

    def _begin(self, key: Hashable, read: Callable[[], Awaitable[T]], answer: asyncio.Future[T]) -> None:
        del self._next[key]
        reading = asyncio.ensure_future(read())
        reading.add_done_callback(lambda done: _copy(done, answer))


def _copy(done: asyncio.Future[T], answer: asyncio.Future[T]) -> None:
    if answer.cancelled():
        return
    if done.cancelled():
        answer.cancel()
    elif error := done.exception():
        answer.set_exception(error)
        answer.exception()  # nobody may be left to take it
    else:
        answer.set_result(done.result())


shared_reads: Final = SharedReads()
