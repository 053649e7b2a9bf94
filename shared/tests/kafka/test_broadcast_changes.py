"""What changes on the broker while a reader without a group runs."""

import secrets
from collections.abc import Iterator

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import NewPartitions, NewTopic

from shared.kafka.broadcast import BroadcastReader, from_seconds_ago
from shared.kafka.clients import admin, connection
from shared.testing import eventually


@pytest.fixture
def topic() -> Iterator[str]:
    """A topic with one partition."""
    client, name = admin(), f"changes.{secrets.token_hex(4)}"
    client.create_topics([NewTopic(name, 1, 1)])[name].result(timeout=30)
    yield name
    client.delete_topics([name])[name].exception(timeout=30)


@pytest.fixture
def values(topic: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | None]]:
    """The values that a reader of `topic` has read so far."""
    monkeypatch.setattr("shared.kafka.broadcast.topic_name", lambda name: name)
    read: list[bytes | None] = []

    def handle(messages: object) -> None:
        assert isinstance(messages, list)
        read.extend(message.value() for message in messages if isinstance(message, Message))

    reader = BroadcastReader(
        name="changes", topics=[topic], start_at=from_seconds_ago(60), handle=handle, look_seconds=0.5
    )
    reader.start()
    yield read
    reader.stop()
    reader.join(10)


def put(topic: str, value: bytes, *, partition: int, **settings: object) -> None:
    producer = Producer({**connection(), **settings})
    producer.produce(topic, value=value, partition=partition)
    assert producer.flush(30) == 0


def test_a_reader_reads_the_partitions_that_are_added(topic: str, values: list[bytes | None]) -> None:
    """Seen failing (the record was never read) without PartitionsChanged."""
    put(topic, b"before", partition=0)
    eventually(lambda: b"before" in values)

    client = admin()  # it must live until the answer has come
    client.create_partitions([NewPartitions(topic, 2)])[topic].result(timeout=30)
    eventually(lambda: len(client.list_topics(topic).topics[topic].partitions) == 2)
    put(topic, b"after", partition=1)

    eventually(lambda: b"after" in values, timeout=20)


def test_a_reader_goes_on_behind_a_batch_that_it_cannot_read(topic: str, values: list[bytes | None]) -> None:
    """Seen failing (nothing behind it was read) without `Unreadable`: the reader started again, before the batch."""
    put(topic, b" " * 150_000_000, partition=0, **{"compression.type": "zstd", "message.max.bytes": 999_000_000})
    put(topic, b"after", partition=0)

    eventually(lambda: b"after" in values, timeout=30)
