"""Reads every record of some topics in every process: no group shares the partitions out, and no offset is committed.

A thread assigns itself all partitions. It calls `assign()`, never Kafka's `subscribe()`, so each process reads every
record although all of them use the same group name.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from shared.events import topic_name
from shared.kafka.clients import group_consumer

POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0
_BATCH: Final = 500

log = structlog.get_logger(__name__)

Start = Callable[[Consumer, list[TopicPartition]], None]
"""Sets the offset of each partition at which reading starts."""


class BroadcastReader:
    """Passes the records of `topics` to `handle`, from the offsets that `start_at` sets, until `stop`.

    `handle` is called about every POLL_SECONDS, with no records if none came. If it raises, or the broker is away, the
    reader starts again with `start_at`, for ever. `on_connected` is told about each change of the connection. All three
    run in the reader's thread. The thread is a daemon: a process that ends does not wait for it.
    """

    def __init__(
        self,
        *,
        name: str,
        topics: Sequence[str],
        start_at: Start,
        handle: Callable[[Sequence[KafkaMessage]], None],
        on_connected: Callable[[bool], None] = lambda _: None,
        make_consumer: Callable[..., Consumer] = group_consumer,
    ) -> None:
        self.make_consumer = make_consumer
        self._name = name
        self._topics = topics
        self._start_at = start_at
        self._handle = handle
        self._on_connected = on_connected
        self._stopping = threading.Event()
        self._broken = threading.Event()
        self._outage_logged = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs. Never call it before a fork."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let the thread end after its present poll. Does not wait."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            consumer: Consumer | None = None
            try:
                self._broken.clear()
                consumer = self.make_consumer(self._name, **self._options())
                consumer.assign(self._partitions(consumer))
                self._on_connected(True)
                while not self._stopping.is_set() and not self._broken.is_set():
                    records = _next_records(consumer)
                    self._log_return()
                    self._handle(records)
            except Exception as error:  # noqa: BLE001 - after any error the reader starts again
                self._log_outage(error)
            finally:
                self._on_connected(False)
                if consumer is not None:
                    consumer.close()
            self._stopping.wait(_RETRY_SECONDS)

    def _options(self) -> dict[str, object]:
        return {
            "auto.offset.reset": "latest",
            "error_cb": self._on_error,
            # The broker answers immediately when a record comes. A longer wait only makes an idle reader cheaper.
            "fetch.wait.max.ms": 2_000,
            "queued.max.messages.kbytes": 2_048,
            # A broker that accepts the connection and never answers counts as away.
            "socket.timeout.ms": 10_000,
        }

    def _partitions(self, consumer: Consumer) -> list[TopicPartition]:
        """Return every partition with its first offset. Raises KafkaException if a topic is missing."""
        partitions = []
        for name in map(topic_name, self._topics):
            topic = consumer.list_topics(name, timeout=_ANSWER_SECONDS).topics[name]
            if topic.error is not None:
                raise KafkaException(topic.error)
            partitions += [TopicPartition(name, number) for number in topic.partitions]
        self._start_at(consumer, partitions)
        return partitions

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            self._log_outage(KafkaException(error))
            self._broken.set()

    def _log_return(self) -> None:
        """Note the end of an outage. A returning broker may first answer with an error: a poll must have succeeded."""
        if self._outage_logged:
            log.info("reader_connected", reader=self._name)
        self._outage_logged = False

    def _log_outage(self, error: Exception) -> None:
        if not self._outage_logged:
            log.warning("reader_disconnected", reader=self._name, error=type(error).__name__)
        self._outage_logged = True


def from_the_end(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    """Start with the records that come from now on."""
    for partition in partitions:
        _, partition.offset = consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)


def from_seconds_ago(seconds: float) -> Start:
    """Return a start at the records of the last `seconds`."""

    def start(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        from_the_end(consumer, partitions)  # first: a record that comes meanwhile is behind these offsets
        since = int((time.time() - seconds) * 1000)
        asked = [TopicPartition(partition.topic, partition.partition, since) for partition in partitions]
        for partition, found in zip(partitions, consumer.offsets_for_times(asked, _ANSWER_SECONDS), strict=True):
            if found.error is not None:
                raise KafkaException(found.error)
            if found.offset >= 0:  # otherwise the partition has no record since then
                partition.offset = found.offset

    return start


def _next_records(consumer: Consumer) -> list[KafkaMessage]:
    """Return the next records. Wait for the first one for at most POLL_SECONDS. Raises KafkaException."""
    first = consumer.poll(POLL_SECONDS)
    if first is None:
        return []
    records = [first, *consumer.consume(_BATCH, timeout=0)]  # consume() alone would wait for a full batch
    for record in records:
        if (problem := record.error()) is not None:
            raise KafkaException(problem)
    return records
