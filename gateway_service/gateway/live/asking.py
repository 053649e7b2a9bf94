"""Asks bookings_service how far the watched subjects have come, while the feed gets no events.

One process asks once every POLL_SECONDS for everything that its subscribers watch, however many they are. The answer
has present sequences, so nothing that happened meanwhile is missed.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

import structlog

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.live.changes import Change, Kind, Subject
from gateway_service.gateway.upstream import stubs
from shared import rpc
from shared.deadline import Deadline
from shared.ids import uuid7

POLL_SECONDS: Final = 2.0
_RPC_SECONDS: Final = 5.0
_MOST_IDS: Final = 1_000  # of one request; bookings_service refuses more

log = structlog.get_logger(__name__)


class Asker:
    """Asks while the feed is not connected, and once after it has connected, for what came before.

    `watched` returns the watched subjects, and `on_changes` gets each answer. The task runs only while it is needed.
    All methods are called on the event loop.
    """

    def __init__(
        self, *, watched: Callable[[], Collection[Subject]], on_changes: Callable[[Iterable[Change]], None]
    ) -> None:
        self._watched = watched
        self._on_changes = on_changes
        self._connected = False
        self._complete = False  # an answer came that was asked for after the feed connected
        self._now = asyncio.Event()
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def set_connected(self, connected: bool) -> None:
        """Ask at once: events stop, or those of before the connection may have been missed."""
        self._connected = connected
        self._complete = False
        self._now.set()
        self.start()

    def start(self) -> None:
        """Start asking if that is needed. Called for each new watcher, which has just read the present state."""
        if self._needed() and (self._task is None or self._task.done()):
            loop = asyncio.get_running_loop()
            # An empty context: the task belongs to no subscriber's request.
            self._task = loop.create_task(self._run(), context=contextvars.Context())

    def stop(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()

    def _needed(self) -> bool:
        return not self._complete and bool(self._watched())

    async def _run(self) -> None:
        while self._needed():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), POLL_SECONDS)
            self._now.clear()
            connected = self._connected
            answered = await self._ask()
            self._complete = answered and connected and not self._now.is_set()

    async def _ask(self) -> bool:
        """Ask for everything that is watched. Return whether every answer came. Log a failure once, and its end."""
        try:
            subjects = list(self._watched())
            for start in range(0, len(subjects), _MOST_IDS):
                await self._ask_for(subjects[start : start + _MOST_IDS])
        except Exception as error:  # noqa: BLE001 - after any error it asks again
            if not self._failing:
                log.warning("live_updates_paused", cause=type(error).__name__)
            self._failing = True
            return False
        if self._failing:
            log.info("live_updates_resumed")
        self._failing = False
        return True

    async def _ask_for(self, subjects: Collection[Subject]) -> None:
        request = _request(subjects)
        while True:
            answer = await rpc.aio_call(
                stubs.bookings.BatchGetSequences,
                request,
                context=rpc.CallContext(deadline=Deadline.after(_RPC_SECONDS), request_id=str(uuid7())),
            )
            self._on_changes(_changes(answer))
            if not answer.has_more_bookings:
                return
            request.after_booking_id = answer.bookings[-1].booking_id
            request.ClearField("departure_ids")


def _request(subjects: Collection[Subject]) -> bookings_pb2.BatchGetSequencesRequest:
    def ids(kind: Kind) -> list[str]:
        return [subject.id for subject in subjects if subject.kind is kind]

    return bookings_pb2.BatchGetSequencesRequest(
        booking_ids=ids(Kind.BOOKING), traveller_ids=ids(Kind.TRAVELLER), departure_ids=ids(Kind.DEPARTURE)
    )


def _changes(answer: bookings_pb2.BatchGetSequencesResponse) -> Iterator[Change]:
    for row in answer.bookings:
        yield Change(Subject(Kind.BOOKING, row.booking_id), row.sequence, traveller_id=row.traveller_id)
    for seats in answer.departures:
        yield Change(Subject(Kind.DEPARTURE, seats.departure_id), seats.sequence, seats_available=seats.seats_available)
