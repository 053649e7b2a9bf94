"""What changes on the broker while a reader without a group runs."""

import secrets
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import NewPartitions, NewTopic

from shared.kafka.broadcast import BroadcastReader, from_seconds_ago
from shared.kafka.clients import admin, connection, group_consumer
from shared.testing import always, eventually


@pytest.fixture
def topics() -> Iterator[list[str]]:
    """Two topics with one partition each."""
    client, names = admin(), [f"changes.{secrets.token_hex(4)}" for _ in range(2)]
    for created in client.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        created.result(timeout=30)
    yield names
    for deleted in client.delete_topics(names).values():
        deleted.exception(timeout=30)


@pytest.fixture
def topic(topics: list[str]) -> str:
    """The topic that a test writes to."""
    return topics[0]


@pytest.fixture
def values(topics: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | None]]:
    """The values that a reader of both topics has read so far."""
    monkeypatch.setattr("shared.kafka.broadcast.topic_name", lambda name: name)
    read: list[bytes | None] = []

    def handle(messages: object) -> None:
        assert isinstance(messages, list)
        read.extend(message.value() for message in messages if isinstance(message, Message))

    def patient(name: str, **options: object) -> Consumer:
        return group_consumer(name, **{**options, "fetch.wait.max.ms": 4_000})

    reader = BroadcastReader(
        name="changes", topics=topics, start_at=from_seconds_ago(60), handle=handle, look_seconds=0.5,
        make_consumer=patient,
    )  # fmt: skip
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


def test_looking_for_partitions_delays_no_record(topic: str, values: list[bytes | None]) -> None:
    """Seen failing (a record late, by as much as an empty fetch waits) when the reader's own consumer looked."""
    put(topic, b"first", partition=0)
    eventually(lambda: b"first" in values, timeout=20)

    for number in range(24):
        value = str(number).encode()
        put(topic, value, partition=0)
        eventually(lambda value=value: value in values, timeout=2)
        always(lambda: True, seconds=0.17)  # each look comes at another moment


def test_a_reader_goes_on_behind_a_batch_that_it_cannot_read(topic: str, values: list[bytes | None]) -> None:
    """Seen failing (nothing behind it was read) without `Unreadable`: the reader started again, before the batch."""
    put(topic, b" " * 150_000_000, partition=0, **{"compression.type": "zstd", "message.max.bytes": 999_000_000})
    put(topic, b"after", partition=0)

    eventually(lambda: b"after" in values, timeout=30)
