"""Stop an operation whose client has closed the connection."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway_service.gateway.transport.requests import ClientLeft, Request

# Watching for the client costs a task. Most operations have ended sooner.
WATCH_AFTER_SECONDS: Final = 0.25


@contextmanager
def cancelled_if_client_leaves(request: Request) -> Iterator[None]:
    """Cancel the block when the client of `request` leaves, and raise ClientLeft."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    watching: asyncio.Task[None] | None = None
    left = False

    async def watch() -> None:
        nonlocal left
        await request.until_client_leaves()
        left = True
        if task is not None:
            task.cancel()

    def start() -> None:
        nonlocal watching
        watching = loop.create_task(watch())

    timer = loop.call_later(WATCH_AFTER_SECONDS, start)
    try:
        yield
    except asyncio.CancelledError:
        if not left or task is None:
            raise
        task.uncancel()
        raise ClientLeft from None
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()
