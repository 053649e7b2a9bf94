"""The live feed: one reader of the bookings' topics per process, which wakes whoever watches what moved.

A watcher names what it watches: a booking, all bookings of a traveller, or the seats of a departure.

It reads all partitions from their end by assignment, without a group: every gateway process sees every event. A thread polls,
everything else happens on the event loop.
"""

import asyncio
import contextlib
import json
import threading
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.events import topic_name
from shared.kafka.clients import group_consumer
from shared.kafka.records import headers_of

TOPIC: Final = "travel.bookings.booking"
INVENTORY: Final = "travel.bookings.inventory"
_POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_METADATA_SECONDS: Final = 5.0
_BATCH: Final = 500

log = structlog.get_logger("gateway.feed")


@dataclass(frozen=True, slots=True)
class Moved:
    """One event: of which booking or departure, its sequence, whose booking it is, how many seats are left."""

    subject: str
    sequence: int
    traveller_id: str = ""
    seats_available: int = 0

    def watched_as(self) -> tuple[str, ...]:
        """Return the names under which it is watched."""
        return (self.subject, traveller(self.traveller_id)) if self.traveller_id else (self.subject,)


def traveller(person_id: str) -> str:
    """Return the name under which all bookings of a traveller are watched."""
    return f"traveller:{person_id}"


class Signals:
    """What one watcher is told: what moved, or that something may have been missed. Bounded: the newest of each subject is kept."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._moved: dict[str, Moved] = {}
        self._missed = False
        self._woken = asyncio.Event()

    def moved(self, moved: Moved) -> None:
        """Note that a subject moved."""
        known = self._moved.get(moved.subject)
        if known is None or known.sequence < moved.sequence:
            self._moved[moved.subject] = moved
            self._woken.set()

    def missed(self) -> None:
        """Note that events may have passed unseen."""
        self._missed = True
        self._woken.set()

    def look(self) -> None:
        """Have the watcher look at the feed's state again."""
        self._woken.set()

    async def wait_beyond(self, sent: Mapping[str, int], *, timeout: float) -> list[Moved] | None:
        """Return what moved beyond the sequences `sent`, or None where something may have been missed and all is to be looked at.

        While the feed is down it is None after `timeout` seconds at the latest.
        """
        while not self._missed:
            if news := [one for one in self._moved.values() if one.sequence > sent.get(one.subject, 0)]:
                self._moved.clear()
                return news
            self._moved.clear()
            self._woken.clear()
            if self._feed.up:
                await self._woken.wait()
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), timeout)
            except TimeoutError:
                break
        self._missed = False
        self._moved.clear()
        return None


class Feed:
    """One process's reader. Starts with the first watcher; `up` while events are known to arrive."""

    def __init__(self, make_consumer: Callable[..., Consumer] = group_consumer) -> None:
        self.up = False
        self._make_consumer = make_consumer
        self._loop = asyncio.get_running_loop()
        self._watchers: defaultdict[str, set[Signals]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._broken = threading.Event()

    @contextlib.asynccontextmanager
    async def watching(self, name: str) -> AsyncIterator[Signals]:
        """Yield the signals of one booking or departure, by its id, or of a `traveller(…)`, while inside."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
            self._thread.start()
        signals = Signals(self)
        self._watchers[name].add(signals)
        try:
            yield signals
        finally:
            self._watchers[name].discard(signals)
            if not self._watchers[name]:
                del self._watchers[name]

    async def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            consumer: Consumer | None = None
            try:
                self._broken.clear()
                consumer = self._make_consumer(
                    "gateway-feed", **{"auto.offset.reset": "latest", "error_cb": self._on_error}
                )
                consumer.assign(_ends(consumer))
                self._post(self._set_up, True)
                while not self._stopping.is_set() and not self._broken.is_set():
                    if (first := consumer.poll(_POLL_SECONDS)) is not None:  # consume would wait for a whole batch
                        self._dispatch([first, *consumer.consume(_BATCH, timeout=0)])
            except Exception as error:  # noqa: BLE001 - whatever it was, the feed is down and tries again
                log.warning("feed is down", error=type(error).__name__)
            finally:
                self._post(self._set_up, False)
                if consumer is not None:
                    consumer.close()
            self._stopping.wait(_RETRY_SECONDS)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            self._broken.set()

    def _dispatch(self, messages: Iterable[Any]) -> None:
        latest: dict[str, Moved] = {}
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            try:
                moved = _read(message)
            except Exception as error:  # noqa: BLE001 - whatever a record contains, the reader goes on with the next
                log.warning("record_skipped", topic=message.topic(), cause=type(error).__name__)
                continue
            if moved.subject not in latest or latest[moved.subject].sequence < moved.sequence:
                latest[moved.subject] = moved
        if latest:
            self._post(self._tell, list(latest.values()))

    def _tell(self, latest: Iterable[Moved]) -> None:
        for moved in latest:
            for name in moved.watched_as():
                for signals in self._watchers.get(name, ()):
                    signals.moved(moved)

    def _set_up(self, up: bool) -> None:
        if up == self.up:
            return
        self.up = up
        for watchers in self._watchers.values():
            for signals in watchers:
                signals.missed() if up else signals.look()

    def _post(self, function: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its watchers with it
            self._loop.call_soon_threadsafe(function, *arguments)


def _read(message: Any) -> Moved:
    """Return what an event says. Raises an exception of any kind for a record that is not an event of this platform."""
    subject = message.key().decode()
    sequence = int(dict(headers_of(message))["ce_sequence"])
    value = json.loads(message.value())
    if message.topic() == topic_name(INVENTORY):
        return Moved(subject, sequence, seats_available=int(value.get("seats_available", 0)))
    return Moved(subject, sequence, traveller_id=str(value.get("booking", {}).get("traveller_id", "")))


def _ends(consumer: Consumer) -> list[TopicPartition]:
    """Return every partition of the topics at its present end. Raises where a topic cannot be read yet."""
    found = []
    for name in map(topic_name, (TOPIC, INVENTORY)):
        topic = consumer.list_topics(name, timeout=_METADATA_SECONDS).topics[name]
        if topic.error is not None:
            raise KafkaException(topic.error)
        found += [TopicPartition(name, partition) for partition in topic.partitions]
    for partition in found:
        _, partition.offset = consumer.get_watermark_offsets(partition, timeout=_METADATA_SECONDS)
    return found


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = weakref.WeakKeyDictionary()


def feed() -> Feed:
    """Return the running loop's feed."""
    loop = asyncio.get_running_loop()
    found = _feeds.get(loop)
    if found is None:
        found = _feeds[loop] = Feed()
    return found


async def stop_feed() -> None:
    """Stop the running loop's feed, if it ever ran."""
    found = _feeds.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.stop()
