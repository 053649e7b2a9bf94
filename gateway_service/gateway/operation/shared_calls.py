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
        self._waiting: dict[Hashable, list[asyncio.Future[Any]]] = {}

    async def share(self, key: Hashable, function: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `function`, or of the `function` of whoever asked with the same `key` just before.

        `key` must name everything that the result depends on, such as the token. Raises what the call raises.
        """
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = []
            # The others who were woken together with this subscriber ask in the same turn of the loop.
            loop.call_soon(self._begin, key, function)
        own: asyncio.Future[T] = loop.create_future()  # a subscriber that leaves cancels only this
        waiting.append(own)
        return await own

    def _begin(self, key: Hashable, function: Callable[[], Awaitable[T]]) -> None:
        waiting = self._waiting.pop(key)
        calling = asyncio.ensure_future(function())
        calling.add_done_callback(lambda done: _answer(waiting, done))


def _answer(waiting: list[asyncio.Future[T]], done: asyncio.Future[T]) -> None:
    error = None if done.cancelled() else done.exception()
    for own in waiting:
        if own.done():  # its subscriber has left
            continue
        if done.cancelled():
            own.cancel()
        elif error is not None:
            own.set_exception(error)
        else:
            own.set_result(done.result())


shared_calls: Final = SharedCalls()
