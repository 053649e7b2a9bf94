"""The live feed: each process has one Kafka reader, which wakes the watchers of a booking, a traveller or a departure.

The reader reads all partitions of BOOKINGS_TOPIC and INVENTORY_TOPIC, starting at their present end, so every gateway
process reads every event. Its thread polls Kafka. Everything else runs on the event loop.
"""

import asyncio
import contextlib
import json
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from confluent_kafka import Message

from shared.events import topic_name
from shared.kafka.broadcast import BroadcastReader, from_the_end
from shared.kafka.records import headers_of

BOOKINGS_TOPIC: Final = "travel.bookings.booking"
INVENTORY_TOPIC: Final = "travel.bookings.inventory"
_STOP_SECONDS: Final = 5.0

Argument = TypeVar("Argument")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """The part of an event that the feed keeps. `subject` is the id of a booking or departure.

    Only a booking has a `traveller_id`, and only a departure has `seats_available`.
    """

    subject: str
    sequence: int
    traveller_id: str = ""
    seats_available: int = 0

    def watch_names(self) -> tuple[str, ...]:
        """Return the names whose watchers must be woken: the subject, and the traveller of a booking."""
        return (self.subject, traveller_watch_name(self.traveller_id)) if self.traveller_id else (self.subject,)


def traveller_watch_name(traveller_id: str) -> str:
    """Return the name under which a watcher watches all bookings of a traveller."""
    return f"traveller:{traveller_id}"


class Signals:
    """The signals for one watcher: which subjects changed, and whether it may have missed events.

    Only the newest change of each subject is kept, so the memory is bounded.
    """

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._changes: dict[str, Change] = {}
        self._missed = False
        self._woken = asyncio.Event()

    def note_change(self, change: Change) -> None:
        """Note that a subject changed."""
        previous = self._changes.get(change.subject)
        if previous is None or previous.sequence < change.sequence:
            self._changes[change.subject] = change
            self._woken.set()

    def note_missed(self) -> None:
        """Note that the watcher may have missed events."""
        self._missed = True
        self._woken.set()

    def wake(self) -> None:
        """Make the watcher check again whether the feed is connected."""
        self._woken.set()

    async def wait_beyond(self, sent: Mapping[str, int], *, poll_seconds: float) -> list[Change] | None:
        """Wait for changes with higher sequences than `sent` and return them.

        Return None if the watcher may have missed events: the caller must then read the present state. While the feed
        is not connected, this returns None after at most `poll_seconds`.
        """
        while not self._missed:
            changes = [change for change in self._changes.values() if change.sequence > sent.get(change.subject, 0)]
            self._changes.clear()
            if changes:
                return changes
            self._woken.clear()
            if self._feed.connected:
                await self._woken.wait()
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), poll_seconds)
            except TimeoutError:
                break
        self._missed = False
        self._changes.clear()
        return None


class Feed:
    """The reader of one process. It starts with the first watcher.

    `connected` is true while the reader polls its partitions.
    """

    def __init__(self) -> None:
        self.connected = False
        self._loop = asyncio.get_running_loop()
        self._watchers: defaultdict[str, set[Signals]] = defaultdict(set)
        self._reader = BroadcastReader(
            name="gateway-feed",
            topics=(BOOKINGS_TOPIC, INVENTORY_TOPIC),
            start_at=from_the_end,
            handle=self._dispatch,
            on_connected=lambda connected: self._call_in_loop(self._set_connected, connected),
        )

    @contextlib.asynccontextmanager
    async def watching(self, name: str) -> AsyncIterator[Signals]:
        """Yield the signals for `name` until the block ends.

        `name` is the id of a booking or a departure, or a `traveller_watch_name`.
        """
        self._reader.start()
        signals = Signals(self)
        self._watchers[name].add(signals)
        try:
            yield signals
        finally:
            self._watchers[name].discard(signals)
            if not self._watchers[name]:
                del self._watchers[name]

    async def stop(self) -> None:
        """Stop the reader's thread. Wait for at most five seconds."""
        self._reader.stop()
        await asyncio.to_thread(self._reader.join, _STOP_SECONDS)

    def _dispatch(self, messages: Iterable[Message]) -> None:
        latest: dict[str, Change] = {}
        for message in messages:
            try:
                change = _read(message)
            except Exception as error:  # noqa: BLE001 - one malformed record must not end the reader
                log.warning("record_skipped", topic=message.topic(), cause=type(error).__name__)
                continue
            if change.subject not in latest or latest[change.subject].sequence < change.sequence:
                latest[change.subject] = change
        if latest:
            self._call_in_loop(self._notify, list(latest.values()))

    def _notify(self, latest: Iterable[Change]) -> None:
        for change in latest:
            for name in change.watch_names():
                for signals in self._watchers.get(name, ()):
                    signals.note_change(change)

    def _set_connected(self, connected: bool) -> None:
        if connected == self.connected:
            return
        self.connected = connected
        for watchers in self._watchers.values():
            for signals in watchers:
                if connected:
                    signals.note_missed()  # events may have come while the feed was not connected
                else:
                    signals.wake()

    def _call_in_loop(self, function: Callable[[Argument], None], argument: Argument) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop and its watchers have ended
            self._loop.call_soon_threadsafe(function, argument)


def _read(message: Message) -> Change:
    """Return the change that an event reports. Raises an exception of any kind for a malformed record."""
    key, value = message.key(), message.value()
    if key is None or value is None:
        raise ValueError("the event has no key or no value")
    subject, body = key.decode(), json.loads(value)
    sequence = int(dict(headers_of(message))["ce_sequence"])
    if message.topic() == topic_name(INVENTORY_TOPIC):
        return Change(subject, sequence, seats_available=int(body.get("seats_available", 0)))
    return Change(subject, sequence, traveller_id=str(body.get("booking", {}).get("traveller_id", "")))


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = weakref.WeakKeyDictionary()


def feed() -> Feed:
    """Return the running event loop's feed."""
    loop = asyncio.get_running_loop()
    if (running := _feeds.get(loop)) is None:
        running = _feeds[loop] = Feed()
    return running


async def stop_feed() -> None:
    """Stop the running event loop's feed, if it has one."""
    running = _feeds.pop(asyncio.get_running_loop(), None)
    if running is not None:
        await running.stop()
