"""The live feed: one reader of the bookings' topic per process, which wakes whoever watches a booking that moved.

It reads all partitions from their end by assignment, without a group: every gateway process sees every event. A thread polls,
everything else happens on the event loop.
"""

import asyncio
import contextlib
import threading
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.events import topic_name
from shared.kafka.clients import group_consumer

TOPIC: Final = "travel.bookings.booking"
_POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_METADATA_SECONDS: Final = 5.0
_BATCH: Final = 500

log = structlog.get_logger("gateway.feed")


class Signals:
    """What one watcher is told: that its booking moved, or that something may have been missed."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._latest = 0
        self._missed = False
        self._woken = asyncio.Event()

    def moved(self, sequence: int) -> None:
        """Note that the booking has reached `sequence`."""
        self._latest = max(self._latest, sequence)
        self._woken.set()

    def missed(self) -> None:
        """Note that events may have passed unseen."""
        self._missed = True
        self._woken.set()

    def look(self) -> None:
        """Have the watcher look at the feed's state again."""
        self._woken.set()

    async def wait_beyond(self, sequence: int, *, timeout: float) -> None:
        """Return once the booking may be beyond `sequence`; while the feed is down, after `timeout` seconds at the latest."""
        while not self._missed and self._latest <= sequence:
            self._woken.clear()
            if self._feed.up:
                await self._woken.wait()
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), timeout)
            except TimeoutError:
                break
        self._missed, self._latest = False, 0


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
    async def watching(self, booking_id: str) -> AsyncIterator[Signals]:
        """Yield the signals of one booking while inside."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
            self._thread.start()
        signals = Signals(self)
        self._watchers[booking_id].add(signals)
        try:
            yield signals
        finally:
            self._watchers[booking_id].discard(signals)
            if not self._watchers[booking_id]:
                del self._watchers[booking_id]

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
        latest: dict[str, int] = {}
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            headers = dict(message.headers() or ())
            with contextlib.suppress(ValueError, UnicodeDecodeError):
                booking_id = (message.key() or b"").decode()
                latest[booking_id] = max(latest.get(booking_id, 0), int(headers.get("ce_sequence") or b"0"))
        if latest:
            self._post(self._tell, latest)

    def _tell(self, latest: dict[str, int]) -> None:
        for booking_id, sequence in latest.items():
            for signals in self._watchers.get(booking_id, ()):
                signals.moved(sequence)

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


def _ends(consumer: Consumer) -> list[TopicPartition]:
    """Return every partition of the topic at its present end. Raises where the topic cannot be read yet."""
    name = topic_name(TOPIC)
    topic = consumer.list_topics(name, timeout=_METADATA_SECONDS).topics[name]
    if topic.error is not None:
        raise KafkaException(topic.error)
    found = [TopicPartition(name, partition) for partition in topic.partitions]
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
