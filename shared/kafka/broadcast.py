"""Reads every record of some topics in every process: no group shares the partitions out, and no offset is committed.

A thread assigns itself all partitions. It calls `assign()`, never Kafka's `subscribe()`, so each process reads every
record although all of them use the same group name.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import Message as KafkaMessage

from shared.events import topic_name
from shared.kafka.clients import group_consumer, log_refusal, producer
from shared.kafka.probe import BrokerProbe
from shared.kafka.unreadable import Unreadable, is_unreadable

POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0
_BATCH: Final = 500
_LOOK_SECONDS: Final = 15.0

log = structlog.get_logger(__name__)


class BrokerSilent(Exception):
    """The probe got no answer from the broker."""


class PartitionsChanged(Exception):
    """A topic has other partitions than those that are read."""


Start = Callable[[Consumer, list[TopicPartition]], None]
"""Sets the offset of each partition at which reading starts."""


class BroadcastReader:
    """Passes the records of `topics` to `handle`, from the offsets that `start_at` sets, until `stop`.

    `handle` is called about every POLL_SECONDS, with no records if none came. If it raises, or the broker is away, the
    reader starts again with `start_at`, for ever. `on_connected` is told about each change of the connection. All three
    run in the reader's thread. The thread is a daemon: a process that ends does not wait for it.

    The reader also starts again after partitions were added: it looks every `look_seconds`.

    A broker that hangs is noticed after about 15 s. With a `probe` it is noticed after at most 3 s, and so is its
    return. `on_connected` then also runs in the probe's thread, but never twice at the same time. The reader starts and
    stops the probe.
    """

    def __init__(
        self,
        *,
        name: str,
        topics: Sequence[str],
        start_at: Start,
        handle: Callable[[Sequence[KafkaMessage]], None],
        on_connected: Callable[[bool], None] = lambda _: None,
        probe: bool = False,
        make_consumer: Callable[..., Consumer] = group_consumer,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self.make_consumer = make_consumer
        self._look_seconds = look_seconds
        self._name = name
        self._topics = topics
        self._start_at = start_at
        self._handle = handle
        self._on_connected = on_connected
        self._unreadable = Unreadable()
        self._stopping = threading.Event()
        self._broken = threading.Event()
        self._outage_logged = False
        self._probe = BrokerProbe(name, on_change=self._on_probe) if probe else None
        self._reporting = threading.Lock()
        self._logging = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs. Never call it before a fork."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
            if self._probe is not None:
                self._probe.start()

    def stop(self) -> None:
        """Let the thread end after its present poll. Does not wait."""
        self._stopping.set()
        if self._probe is not None:
            self._probe.stop()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            consumer: Consumer | None = None
            try:
                self._broken.clear()
                self._wait_for_the_broker()
                if self._stopping.is_set():
                    return
                consumer = self.make_consumer(self._name, **self._options())
                partitions = self._partitions(consumer)
                self._start_at(consumer, partitions)
                consumer.assign(partitions)
                self._report(True)
                looker = _looker(self._name)
                next_look = time.monotonic() + self._look_seconds
                while not self._stopping.is_set() and not self._broken.is_set():
                    records = _next_records(consumer, self._unreadable)
                    self._log_return()
                    self._handle(records)
                    if time.monotonic() >= next_look:
                        next_look = time.monotonic() + self._look_seconds
                        if len(self._partitions(looker)) != len(partitions):
                            raise PartitionsChanged
            except Exception as error:  # noqa: BLE001 - after any error the reader starts again
                self._log_outage(error)
            finally:
                self._report(False)
                if consumer is not None:
                    consumer.close()
            self._stopping.wait(_RETRY_SECONDS)

    def _wait_for_the_broker(self) -> None:
        """Wait until the probe gets an answer, or until `stop`. Without a probe, do not wait."""
        while self._probe is not None and not self._stopping.is_set():
            if self._probe.wait(answers=True, seconds=POLL_SECONDS):
                return

    def _on_probe(self, answers: bool) -> None:
        """Report a hung broker immediately: the reader's thread may be inside a call that waits for it."""
        if not answers:
            self._broken.set()
            self._log_outage(BrokerSilent())
            self._report(False)

    def _report(self, connected: bool) -> None:
        with self._reporting:
            self._on_connected(connected and not self._broken.is_set())

    def _options(self) -> dict[str, object]:
        return {
            "auto.offset.reset": "latest",
            "error_cb": self._on_error,
            # The broker answers immediately when a record comes. But a fetch that began before a partition was ready,
            # just after the start, does not ask for it: its records are late by as much as this. A longer wait makes
            # an idle reader cheaper.
            "fetch.wait.max.ms": 500,
            "queued.max.messages.kbytes": 2_048,
            # A broker that accepts the connection and never answers counts as away.
            "socket.timeout.ms": 10_000,
        }

    def _partitions(self, client: Consumer | Producer) -> list[TopicPartition]:
        """Return every partition of the topics. Raises KafkaException if a topic is missing."""
        partitions = []
        for name in map(topic_name, self._topics):
            topic = client.list_topics(name, timeout=_ANSWER_SECONDS).topics[name]
            if topic.error is not None:
                raise KafkaException(topic.error)
            partitions += [TopicPartition(name, number) for number in topic.partitions]
        return partitions

    def _on_error(self, error: KafkaError) -> None:
        log_refusal(error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            self._log_outage(KafkaException(error))
            self._broken.set()

    def _log_return(self) -> None:
        """Note the end of an outage. A returning broker may first answer with an error: a poll must have succeeded."""
        with self._logging:
            if self._outage_logged and not self._broken.is_set():
                log.info("reader_connected", reader=self._name)
                self._outage_logged = False

    def _log_outage(self, error: Exception) -> None:
        with self._logging:
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


def _looker(reader: str) -> Producer:
    """Return a client that only looks which partitions there are.

    If the consumer itself asked, it would check its place in each partition again, and fetch without them meanwhile.
    The next record would be read only after that fetch has waited for `fetch.wait.max.ms`.
    """
    return producer(f"{reader}-partitions", **{"topic.metadata.refresh.interval.ms": -1, "enable.idempotence": False})


def _next_records(consumer: Consumer, unreadable: Unreadable) -> list[KafkaMessage]:
    """Return the next records that can be read. Wait for the first for at most POLL_SECONDS. Raises KafkaException."""
    first = consumer.poll(POLL_SECONDS)
    if first is None:
        return []
    polled = [first, *consumer.consume(_BATCH, timeout=0)]  # consume() alone would wait for a full batch
    records = []
    for record in polled:
        if (problem := record.error()) is None:
            records.append(record)
        elif is_unreadable(problem):
            unreadable.give_up(consumer, record)
        else:
            raise KafkaException(problem)
    return records
