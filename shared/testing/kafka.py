"""Events in tests: the run's own topics on a real broker, and records written to them and read from them."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from shared import events
from shared.cloudevents import Envelope, decode
from shared.events import DEAD_LETTER_TOPICS, TOPICS, topic_name
from shared.kafka.clients import connection
from shared.kafka.records import headers_of
from shared.testing.patience import eventually

_CREATED = KafkaError.TOPIC_ALREADY_EXISTS


@contextmanager
def topic_prefix(prefix: str) -> Iterator[None]:
    """Put `prefix` before the names of all topics and groups during the body."""
    former = os.environ.get("KAFKA_TOPIC_PREFIX")
    os.environ["KAFKA_TOPIC_PREFIX"] = prefix
    events._prefix.cache_clear()
    try:
        yield
    finally:
        os.environ["KAFKA_TOPIC_PREFIX"] = former or ""
        events._prefix.cache_clear()


@contextmanager
def own_topics() -> Iterator[None]:
    """Create every topic of the platform, with dead letters, under this run's prefix. Delete them at the end.

    Raises RuntimeError without a prefix: a test must not delete the topics of a running platform.
    """
    if topic_name("") == "":
        raise RuntimeError("KAFKA_TOPIC_PREFIX is not set: the test run has no topics of its own")
    admin = AdminClient(connection())
    topics = [
        NewTopic(topic_name(topic.name), num_partitions=topic.partitions, replication_factor=1)
        for topic in (*TOPICS, *DEAD_LETTER_TOPICS)
    ]
    for future in admin.create_topics(topics, operation_timeout=20).values():
        try:
            future.result(timeout=30)
        except KafkaException as e:
            if e.args[0].code() != _CREATED:
                raise
    _wait_for_leaders(topics)
    try:
        yield
    finally:
        for future in admin.delete_topics([topic.topic for topic in topics], operation_timeout=20).values():
            future.exception(timeout=30)


def _wait_for_leaders(topics: list[NewTopic]) -> None:
    """Return when the broker serves every partition: of a new one it says for a moment that it does not lead it."""
    consumer = Consumer({**connection(), "group.id": "unused", "enable.auto.commit": False})

    def is_served(partition: TopicPartition) -> bool:
        try:
            return consumer.get_watermark_offsets(partition, timeout=5) is not None
        except KafkaException:
            return False

    try:
        places = [TopicPartition(topic.topic, number) for topic in topics for number in range(topic.num_partitions)]
        for place in places:
            eventually(partial(is_served, place), timeout=20)
    finally:
        consumer.close()


def put(topic: str, *, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
    """Put a raw record on `topic` (its name without prefix) and return when the broker has it."""
    producer = Producer({**connection(), "acks": "all", "linger.ms": 0})
    failures: list[KafkaError] = []

    def on_delivery(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer.produce(topic_name(topic), key=key, value=value, headers=[*(headers or [])], on_delivery=on_delivery)
    if producer.flush(15) or failures:
        raise RuntimeError(f"{topic}: record not delivered: {failures}")


def put_event(topic: str, envelope: Envelope) -> None:
    """Put `envelope` on `topic` as the relay does."""
    put(topic, key=envelope.key.encode(), value=envelope.value, headers=envelope.headers())


def consume_until(topic: str, enough: Callable[[list[Message]], bool] | int, timeout: float = 15.0) -> list[Message]:
    """Return the records of `topic` from its beginning as soon as there are `enough` (a number, or a predicate).

    Reads without a group and commits nothing. Raises AssertionError after `timeout` seconds with the number of records.
    """
    is_enough = (lambda records: len(records) >= enough) if isinstance(enough, int) else enough
    consumer = Consumer({**connection(), "group.id": "unused", "enable.auto.commit": False, "fetch.wait.max.ms": 50})
    records: list[Message] = []
    try:
        name = topic_name(topic)
        partitions = consumer.list_topics(name, timeout=timeout).topics[name].partitions
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in partitions])
        end = time.monotonic() + timeout
        while not is_enough(records):
            if time.monotonic() >= end:
                raise AssertionError(f"{len(records)} records on {topic} within {timeout:g} s")
            record = consumer.poll(0.2)
            if record is not None and record.error() is None:
                records.append(record)
    finally:
        consumer.close()
    return records


def everything_on(topic: str, timeout: float = 60.0) -> list[Message]:
    """Return the records that `topic` has now, each partition in its order.

    Raises AssertionError after `timeout` seconds.
    """
    consumer = Consumer(
        {**connection(), "group.id": "unused", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    records: list[Message] = []
    try:
        name = topic_name(topic)
        open_partitions = set(consumer.list_topics(name, timeout=timeout).topics[name].partitions)
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in open_partitions])
        end = time.monotonic() + timeout
        while open_partitions:
            if time.monotonic() >= end:
                raise AssertionError(f"{len(records)} records on {topic} and not all within {timeout:g} s")
            for record in consumer.consume(1_000, timeout=0.2):
                if (error := record.error()) is None:
                    records.append(record)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(record.partition())
    finally:
        consumer.close()
    return records


def events_of(topic: str, key: str, *, count: int, timeout: float = 15.0) -> list[Envelope]:
    """Return the first `count` events of one aggregate on `topic`, in the order of the topic."""

    def of_key(records: list[Message]) -> list[Envelope]:
        return [
            decode(key=record.key(), value=record.value(), headers=headers_of(record))
            for record in records
            if record.key() == key.encode()
        ]

    return of_key(consume_until(topic, lambda records: len(of_key(records)) >= count, timeout))
