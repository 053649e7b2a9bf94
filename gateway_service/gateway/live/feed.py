"""The live feed: each process has one Kafka reader, which wakes the watchers of a booking, a traveller or a departure.

The reader reads all partitions of BOOKINGS_TOPIC and INVENTORY_TOPIC, starting at their present end, so every gateway
process reads every event. Its thread polls Kafka. Everything else runs on the event loop.

While the reader is not connected, the process asks bookings_service instead (`asking.py`). The watchers do not notice.
"""

import asyncio
import contextlib
import json
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Final, TypeVar

import structlog
from confluent_kafka import Message

from gateway_service.gateway.live.asking import Asker
from gateway_service.gateway.live.changes import Change, Kind, Subject
from shared.events import topic_name
from shared.kafka.broadcast import BroadcastReader, from_the_end
from shared.kafka.records import headers_of

BOOKINGS_TOPIC: Final = "travel.bookings.booking"
INVENTORY_TOPIC: Final = "travel.bookings.inventory"
_STOP_SECONDS: Final = 5.0

Argument = TypeVar("Argument")

log = structlog.get_logger(__name__)


class Signals:
    """The signals for one watcher: which subjects changed, and whether it must read the present state again.

    Only the newest change of each subject is kept, so the memory is bounded.
    """

    def __init__(self) -> None:
        self._changes: dict[Subject, Change] = {}
        self._missed = False
        self._woken = asyncio.Event()

    def note_change(self, change: Change) -> None:
        """Note that a subject changed."""
        previous = self._changes.get(change.subject)
        if previous is None or previous.sequence < change.sequence:
            self._changes[change.subject] = change
            self._woken.set()

    def note_missed(self) -> None:
        """Note that the watcher could not read a change."""
        self._missed = True
        self._woken.set()

    async def wait_beyond(self, sent: Mapping[str, int]) -> list[Change] | None:
        """Wait for changes with higher sequences than `sent`, by the subject's id, and return them.

        Return None after `note_missed`: the caller must then read the present state.
        """
        while not self._missed:
            changes = [change for change in self._changes.values() if change.sequence > sent.get(change.subject.id, 0)]
            self._changes.clear()
            if changes:
                return changes
            self._woken.clear()
            await self._woken.wait()
        self._missed = False
        self._changes.clear()
        return None


class Feed:
    """The reader of one process. It starts with the first watcher.

    `connected` is true while the reader polls its partitions and the broker answers.
    """

    def __init__(self) -> None:
        self.connected = False
        self._loop = asyncio.get_running_loop()
        self._watchers: defaultdict[Subject, set[Signals]] = defaultdict(set)
        self._asker = Asker(watched=self._watchers.keys, on_changes=self._notify)
        self._reader = BroadcastReader(
            name="gateway-feed",
            topics=(BOOKINGS_TOPIC, INVENTORY_TOPIC),
            start_at=from_the_end,
            handle=self._dispatch,
            on_connected=lambda connected: self._call_in_loop(self._set_connected, connected),
            probe=True,
        )

    @contextlib.asynccontextmanager
    async def watching(self, subject: Subject) -> AsyncIterator[Signals]:
        """Yield the signals for `subject` until the block ends. Read the present state after the block has begun."""
        self._reader.start()
        signals = Signals()
        self._watchers[subject].add(signals)
        self._asker.start()
        try:
            yield signals
        finally:
            self._watchers[subject].discard(signals)
            if not self._watchers[subject]:
                del self._watchers[subject]

    async def stop(self) -> None:
        """Stop the reader's thread. Wait for at most five seconds."""
        self._asker.stop()
        self._reader.stop()
        await asyncio.to_thread(self._reader.join, _STOP_SECONDS)

    def _dispatch(self, messages: Iterable[Message]) -> None:
        latest: dict[Subject, Change] = {}
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

    def _notify(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for subject in change.watched_subjects():
                for signals in self._watchers.get(subject, ()):
                    signals.note_change(change)

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._asker.set_connected(connected)

    def _call_in_loop(self, function: Callable[[Argument], None], argument: Argument) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop and its watchers have ended
            self._loop.call_soon_threadsafe(function, argument)


def _read(message: Message) -> Change:
    """Return the change that an event reports. Raises an exception of any kind for a malformed record."""
    key, value = message.key(), message.value()
    if key is None or value is None:
        raise ValueError("the event has no key or no value")
    name, body = key.decode(), json.loads(value)
    sequence = int(dict(headers_of(message))["ce_sequence"])
    if message.topic() == topic_name(INVENTORY_TOPIC):
        return Change(Subject(Kind.DEPARTURE, name), sequence, seats_available=int(body.get("seats_available", 0)))
    traveller_id = str(body.get("booking", {}).get("traveller_id", ""))
    return Change(Subject(Kind.BOOKING, name), sequence, traveller_id=traveller_id)


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
