"""The catalogue's rows that this process remembers: places, photos, prices, trips, departures and exchange rates.

Operations share the rows, so nobody may change one. A row holds every language. Nothing of a traveller and no number of
free seats is ever kept here.

How old a row can be:
- `live/catalogue_feed.py` reads the events of destinations_service and forgets what changed. While it reads them
  (`set_current`), a row is forgotten as soon as its event comes, and after FRESH_SECONDS in any case.
- While it does not, a row lives for STALE_SECONDS.
"""

import asyncio
import contextvars
import math
import time
import weakref
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar, cast

from cachetools import LRUCache
from django.conf import settings
from google.protobuf.message import Message

from contracts.travel.destinations.v1 import destinations_pb2
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded

STALE_SECONDS: Final = 5.0
# Time changes two facts without an event: a departure leaves, and then a trip's lowest price may be another.
FRESH_SECONDS: Final = 60.0
_ROUNDS: Final = 2

# Measured with messages of 0.1 to 8 kB: memory of a message of its own, for each byte on the wire and beside them.
_BYTES_PER_WIRE_BYTE: Final = 2
_MESSAGE_BYTES: Final = 1_300
_ENTRY_BYTES: Final = 700  # the key, the entry and its place in the cache

Row = TypeVar("Row")


class Kind(StrEnum):
    """What is kept by id. Photos, prices and visiting times have the id of
    their place or trip, the content of a trip has the id of the trip."""

    PLACE = "place"
    PHOTOS = "photos"
    PRICES = "prices"
    VISITS = "visits"
    TRIP = "trip"
    TRIP_PHOTOS = "trip photos"
    CONTENT = "content"
    DEPARTURE = "departure"
    RATES = "rates"


Key = tuple[Kind, str]
EVERY_ID: Final = "*"  # in the place of an id: all rows of a kind
Read = Callable[[list[str]], Awaitable[Mapping[str, Row]]]
"""Reads rows by id. Ids without a row are missing in the result."""


class _Entry(NamedTuple):
    row: object
    read_at: float  # when the request for it was sent
    until: float
    size: int


@dataclass(slots=True)
class _Request:
    """A request under way, and its rows by id afterwards."""

    started_at: float
    task: "asyncio.Task[Mapping[str, object]]"


class CatalogueCache:
    """The rows of one event loop, at most `most_bytes` of them: the least recently used go first.

    Rows that several operations ask for at the same time are asked of destinations_service once.
    """

    def __init__(self, *, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._current = False
        self._entries: LRUCache[Key, _Entry] = LRUCache(most_bytes, getsizeof=lambda entry: entry.size)
        self._requests: dict[Key, _Request] = {}
        self._running: set[asyncio.Task[Mapping[str, object]]] = set()  # the event loop keeps no task alive

    @property
    def size_bytes(self) -> int:
        """Return about how much memory the rows take."""
        return int(self._entries.currsize)

    def get(self, kind: Kind, id: str) -> object | None:
        """Return a row, or None if it is not known or too old."""
        entry = self._entries.get((kind, id))
        if entry is None:
            return None
        now = self._clock()
        return entry.row if now < entry.until and (self._current or now < entry.read_at + STALE_SECONDS) else None

    async def rows(
        self, kind: Kind, ids: Sequence[str], read: Read[Row], deadline: Deadline
    ) -> list[Row | Exception | None]:
        """Return the row of each id, or None; an exception in the place of each row that could not be read.

        An id that another operation is reading is not asked for again. If that operation's request fails, the id is
        asked for once more. The request belongs to nobody: it goes on if the caller is cancelled or its deadline ends.
        """
        found: dict[str, Row | Exception | None] = {}
        wanted: Collection[str] = ids
        for _ in range(_ROUNDS):
            requests, own = self._requests_for(kind, wanted, read)
            await _wait_for({request.task for request in requests.values()}, deadline)
            for id, request in requests.items():
                found[id] = _outcome(request, id)
            wanted = [id for id in wanted if isinstance(found[id], Exception) and id not in own]
            if not wanted:
                break
        return [found[id] for id in ids]

    def forget(self, keys: Iterable[Key]) -> None:
        """Forget rows that changed. An answer under way is not kept either: it may have been read before the change."""
        for kind, id in keys:
            every = [key for key in (*self._entries, *self._requests) if key[0] is kind] if id == EVERY_ID else []
            for key in every or ((kind, id),):
                self._entries.pop(key, None)
                self._requests.pop(key, None)

    def forget_all(self) -> None:
        """Forget every row. No answer under way is kept."""
        self._entries.clear()
        self._requests.clear()

    def set_current(self, current: bool) -> None:
        """Note whether changes are heard of from now on. Those around this moment may be missed, so forget all rows."""
        self._current = current
        self.forget_all()

    def _requests_for(self, kind: Kind, ids: Collection[str], read: Read[Row]) -> tuple[dict[str, _Request], set[str]]:
        """Return the request that reads each id, and the ids whose request was started here."""
        requests = {id: request for id in ids if (request := self._requests.get((kind, id))) is not None}
        own = [id for id in ids if id not in requests]
        if own:
            request = self._start(kind, own, read)
            requests.update(dict.fromkeys(own, request))
        return requests, set(own)

    def _start(self, kind: Kind, ids: list[str], read: Read[Row]) -> _Request:
        async def run() -> Mapping[str, object]:
            return {id: _own_copy(row) for id, row in (await read(ids)).items()}

        # An empty context: the request belongs to no operation.
        task = asyncio.get_running_loop().create_task(run(), context=contextvars.Context())
        request = _Request(self._clock(), task)
        self._requests.update({(kind, id): request for id in ids})
        self._running.add(task)
        task.add_done_callback(lambda _: self._store(kind, ids, request))
        return request

    def _store(self, kind: Kind, ids: list[str], request: _Request) -> None:
        """Keep the rows of a request that has ended, except those that were forgotten meanwhile."""
        self._running.discard(request.task)
        failed = request.task.cancelled() or request.task.exception() is not None
        for id in ids:
            if self._requests.get((kind, id)) is request:
                del self._requests[kind, id]
                if not failed and (row := request.task.result().get(id)) is not None:
                    self._keep((kind, id), row, request.started_at)

    def _keep(self, key: Key, row: object, read_at: float) -> None:
        messages = _messages(row)
        size = _ENTRY_BYTES + sum(_MESSAGE_BYTES + _BYTES_PER_WIRE_BYTE * message.ByteSize() for message in messages)
        if size <= self._most_bytes:
            until = min(read_at + FRESH_SECONDS, self._clock() + _seconds_valid(row))
            self._entries[key] = _Entry(row, read_at, until, size)


def _outcome(request: _Request, id: str) -> Row | Exception | None:
    """Return the row that the ended request brought for `id`, or why it failed."""
    if request.task.cancelled():
        return DeadlineExceeded()
    error = request.task.exception()
    if isinstance(error, Exception):
        return error
    return cast(Row | None, request.task.result().get(id))


async def _wait_for(tasks: set["asyncio.Task[Mapping[str, object]]"], deadline: Deadline) -> None:
    """Wait for all tasks without ever cancelling them. Raises DeadlineExceeded after the deadline."""
    _, late = await asyncio.wait(tasks, timeout=deadline.remaining())
    if late:
        raise DeadlineExceeded


def _messages(row: object) -> Collection[Message]:
    """Return the messages of a row: itself, or those of a list or dictionary."""
    if isinstance(row, Message):
        return (row,)
    return cast("Collection[Message]", row.values() if isinstance(row, dict) else row)


def _own_copy(row: object) -> object:
    """Return a copy of `row`. A message of a larger answer would keep the memory of the whole answer."""
    if isinstance(row, dict):
        return {key: _own_copy(message) for key, message in row.items()}
    if isinstance(row, list):
        return [_own_copy(message) for message in row]
    message = cast(Message, row)
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _seconds_valid(row: object) -> float:
    """Return for how long `row` stays valid without an event: a departure until it leaves."""
    if isinstance(row, destinations_pb2.Departure):
        seconds = row.starts_at.seconds - time.time()
        return seconds if seconds > 0 else math.inf
    return math.inf


_caches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CatalogueCache] = weakref.WeakKeyDictionary()


def catalogue_cache() -> CatalogueCache:
    """Return the running event loop's cache."""
    loop = asyncio.get_running_loop()
    if (cache := _caches.get(loop)) is None:
        cache = _caches[loop] = CatalogueCache(most_bytes=settings.CATALOGUE_CACHE_MB * 1_000_000)
    return cache
