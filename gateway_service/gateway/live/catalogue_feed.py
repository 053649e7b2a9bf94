"""Tells the process's CatalogueCache what changed: each process reads all events of destinations_service.

The reader reads every partition of DEPARTURES_TOPIC and DESTINATIONS_TOPIC, starting at their present end. The cache
keeps rows for longer only while the reader is connected and the broker answers.
"""

import asyncio
import contextlib
import json
import weakref
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import structlog
from confluent_kafka import Message

from gateway_service.gateway.operation.catalogue_cache import EVERY_ID, Key, Kind, catalogue_cache
from shared.kafka.broadcast import BroadcastReader, from_the_end
from shared.kafka.records import headers_of

DEPARTURES_TOPIC: Final = "travel.destinations.departure"
DESTINATIONS_TOPIC: Final = "travel.destinations.destination"
_STOP_SECONDS: Final = 5.0

Argument = TypeVar("Argument")

log = structlog.get_logger(__name__)


class CatalogueFeed:
    """The reader of one process. `connected` is true while the reader polls its partitions and the broker answers."""

    def __init__(self) -> None:
        self.connected = False
        self._loop = asyncio.get_running_loop()
        self._cache = catalogue_cache()
        self._reader = BroadcastReader(
            name="gateway-catalogue",
            topics=(DEPARTURES_TOPIC, DESTINATIONS_TOPIC),
            start_at=from_the_end,
            handle=self._handle,
            on_connected=lambda connected: self._call_in_loop(self._set_connected, connected),
            probe=True,
        )

    def start(self) -> None:
        """Start reading, unless it has started."""
        self._reader.start()

    async def stop(self) -> None:
        """Stop the reader's thread. Wait for at most five seconds."""
        self._reader.stop()
        await asyncio.to_thread(self._reader.join, _STOP_SECONDS)
        self._set_connected(False)

    def _handle(self, messages: Iterable[Message]) -> None:
        changed: set[Key] = set()
        for message in messages:
            try:
                changed |= changed_rows(message)
            except Exception as error:  # noqa: BLE001 - one malformed record must not end the reader
                log.warning("record_unreadable", topic=message.topic(), cause=type(error).__name__)
                self._call_in_loop(self._forget_all, None)
        if changed:
            self._call_in_loop(self._cache.forget, changed)

    def _forget_all(self, _: None) -> None:
        self._cache.forget_all()

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._cache.set_current(connected)

    def _call_in_loop(self, function: Callable[[Argument], None], argument: Argument) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop and its cache have ended
            self._loop.call_soon_threadsafe(function, argument)


def changed_rows(message: Message) -> set[Key]:
    """Return the rows that an event changed. Raises an exception of any kind for an unknown or malformed record."""
    key, value = message.key(), message.value()
    if key is None or value is None:
        raise ValueError("the event has no key or no value")
    id, event_type = key.decode(), dict(headers_of(message))["ce_type"].decode()
    subject = event_type.removeprefix("travel.destinations.").split(".")[0]
    match subject:
        case "destination":
            return {(kind, id) for kind in (Kind.PLACE, Kind.PHOTOS, Kind.PRICES, Kind.VISITS)}
        case "trip":  # its departures show its currency and its tax
            return {(Kind.TRIP, id), (Kind.TRIP_PHOTOS, id), (Kind.CONTENT, id), (Kind.DEPARTURE, EVERY_ID)}
        case "departure":  # it may have been the cheapest of its trip
            return {(Kind.DEPARTURE, id), (Kind.TRIP, str(json.loads(value)["departure"]["trip_id"]))}
        case "exchange_rates":
            return {(Kind.RATES, EVERY_ID)}
    raise ValueError("the event is about something unknown")


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, CatalogueFeed] = weakref.WeakKeyDictionary()


def catalogue_feed() -> CatalogueFeed:
    """Return the running event loop's feed."""
    loop = asyncio.get_running_loop()
    if (running := _feeds.get(loop)) is None:
        running = _feeds[loop] = CatalogueFeed()
    return running


async def stop_catalogue_feed() -> None:
    """Stop the running event loop's feed, if it has one."""
    running = _feeds.pop(asyncio.get_running_loop(), None)
    if running is not None:
        await running.stop()
