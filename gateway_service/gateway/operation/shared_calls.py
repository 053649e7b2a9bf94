"""Work that subscribers share: one change wakes many of them, and they ask and select the same."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")


class SharedCalls:
    """Makes one call for all who ask the same before it begins. Used on one event loop.

    A call that has begun is never shared, so an answer is always newer than the question.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Future[Any]] = {}

    async def share(self, key: Hashable, function: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `function`, or of the `function` of whoever asked with the same `key` just before.

        `key` must name everything that the result depends on, such as the token. Raises what the call raises.
        """
        result = self._next.get(key)
        if result is None:
            loop = asyncio.get_running_loop()
            result = self._next[key] = loop.create_future()
            # The others who were woken together with this subscriber ask in the same turn of the loop.
            loop.call_soon(self._begin, key, function, result)
        shared: T = await asyncio.shield(result)  # a subscriber that leaves ends nobody else's call
        return shared

    def _begin(self, key: Hashable, function: Callable[[], Awaitable[T]], result: asyncio.Future[T]) -> None:
        del self._next[key]
        calling = asyncio.ensure_future(function())
        calling.add_done_callback(lambda done: _copy(done, result))


def _copy(done: asyncio.Future[T], result: asyncio.Future[T]) -> None:
    if result.cancelled():
        return
    if done.cancelled():
        result.cancel()
    elif error := done.exception():
        result.set_exception(error)
        result.exception()  # nobody may be left to take it
    else:
        result.set_result(done.result())


shared_calls: Final = SharedCalls()
