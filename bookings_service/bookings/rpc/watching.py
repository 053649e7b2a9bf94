"""Follows one booking for WatchBooking. One LISTEN connection wakes every stream of the process.

A woken stream reads the new history entries. The listener is a coroutine, so a stream needs no thread while it waits.
Each read takes a thread of the pool, for as long as the read lasts.

The gateway does not call WatchBooking: it reads the events from Kafka. The method stays, because it is part of the
released contract in `proto/`, and `buf breaking` refuses to remove it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.db import close_old_connections

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingView, HistoryEntryView
from bookings_service.bookings.rpc.mappers import booking_to_proto, event_to_proto
from bookings_service.bookings.services.booking.transition import WATCH_CHANNEL
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.db import own_database

SWEEP_SECONDS: Final = 10.0
log = structlog.get_logger(__name__)


async def updates(*, reference: str, traveller_id: UUID, after: int) -> AsyncIterator[pb.WatchBookingResponse]:
    """Yield the booking's history entries after a sequence, then each new history entry after its commit.

    The entries come in order, each exactly one time.

    Raises NotFound if the booking is not the traveller's, and RateLimited after too many wrong references.
    """
    with _listener.watching(reference) as woken:
        while True:
            woken.clear()
            booking, history_entries = await _read(reference, traveller_id, after)
            for history_entry in history_entries:
                after = history_entry.sequence
                yield pb.WatchBookingResponse(booking=booking_to_proto(booking), event=event_to_proto(history_entry))
            try:
                await asyncio.wait_for(woken.wait(), SWEEP_SECONDS)
            except TimeoutError:
                continue  # a notification may be lost: look at the database every SWEEP_SECONDS


@sync_to_async(thread_sensitive=False)
def _read(reference: str, traveller_id: UUID, after: int) -> tuple[BookingView, list[HistoryEntryView]]:
    close_old_connections()
    try:
        return selectors.booking_with_history(reference=reference, traveller_id=traveller_id, after=after)
    finally:
        close_old_connections()


class _Listener:
    """The one LISTEN connection of the process, open while there is a watcher."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def watching(self, reference: str) -> "_Watch":
        """Return a context manager that yields an event, which is set when the booking may have changed."""
        return _Watch(self, reference)

    def add(self, reference: str, event: asyncio.Event) -> None:
        """Set `event` whenever the booking may have changed. The first watcher opens the connection."""
        self._watchers[reference].add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())

    def remove(self, reference: str, event: asyncio.Event) -> None:
        """Stop setting `event`. The last watcher closes the connection."""
        self._watchers[reference].discard(event)
        if not self._watchers[reference]:
            del self._watchers[reference]
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(own_database(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {WATCH_CHANNEL}")
                    for event in [event for events in self._watchers.values() for event in events]:
                        event.set()  # the booking may have changed before the connection listened
                    async for notice in connection.notifies():
                        for event in self._watchers.get(notice.payload, ()):
                            event.set()
            except psycopg.OperationalError:
                log.warning("watch.database_unavailable")
                await asyncio.sleep(1)


class _Watch:
    def __init__(self, listener: _Listener, reference: str) -> None:
        self._listener, self._reference, self._event = listener, reference, asyncio.Event()

    def __enter__(self) -> asyncio.Event:
        self._listener.add(self._reference, self._event)
        return self._event

    def __exit__(self, *_: object) -> None:
        self._listener.remove(self._reference, self._event)


_listener = _Listener()
