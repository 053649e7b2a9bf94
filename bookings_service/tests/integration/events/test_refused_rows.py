"""Rows that the broker refuses: they are set aside, their key waits, and all other keys and topics go on."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from bookings_service.tests.integration.events.support import INVENTORY, relaying, write
from shared.events import topic_name
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.settings.env import env
from shared.testing import eventually
from shared.testing.kafka import consume_until, events_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]

LIMIT = 4_000


@pytest.fixture
def narrow() -> Iterator[str]:
    """A topic, by its name without prefix, whose broker refuses batches of more than LIMIT bytes."""
    admin = AdminClient({"bootstrap.servers": env.str("KAFKA_BOOTSTRAP_SERVERS")})
    name = f"narrow.{secrets.token_hex(4)}"
    topic = NewTopic(topic_name(name), num_partitions=1, replication_factor=1, config={"max.message.bytes": str(LIMIT)})
    admin.create_topics([topic])[topic.topic].result(15)
    yield name
    admin.delete_topics([topic.topic])[topic.topic].result(15)


def put_row(topic: str, key: str, sequence: int, *, bytes_: int = 10) -> OutboxEvent:
    """Write a row with a value that no compression makes smaller than `bytes_`."""
    return OutboxEvent.objects.create(
        type="travel.bookings.inventory.changed.v1", topic=topic, key=key, sequence=sequence,
        value=f'"{secrets.token_urlsafe(bytes_)}"', occurred_at=datetime.now(UTC),
    )  # fmt: skip


def sequences(topic: str, key: str, count: int) -> list[int]:
    return [event.sequence for event in events_of(topic, key, count=count)]


def test_a_refused_row_holds_back_the_later_rows_of_its_key(narrow: str) -> None:
    """Seen failing (the marked rows were never exactly six) if TopicQueue.add treats each row as the first of its key.

    It failed in the same way if TopicQueue.refused lets the next row of the key follow.
    """
    refused = [put_row(narrow, "refused", n, bytes_=2 * LIMIT if n == 2 else 10) for n in (1, 2, 3, 4)]
    for n in (1, 2, 3):
        put_row(narrow, "other", n)
    other_topic = uuid7()
    write(other_topic, 1, 2)

    with relaying():
        eventually(lambda: OutboxEvent.objects.filter(delivered_at__isnull=False).count() == 6)
        assert sequences(narrow, "other", 3) == [1, 2, 3]
        assert sequences(INVENTORY, str(other_topic), 2) == [1, 2]
        eventually(lambda: OutboxEvent.objects.filter(set_aside_at__isnull=False).exists())

    rows = {row.sequence: row for row in OutboxEvent.objects.filter(id__in=[row.id for row in refused])}
    assert [rows[n].delivered_at is None for n in (1, 2, 3, 4)] == [False, True, True, True]
    assert [rows[n].set_aside_at is None for n in (1, 2, 3, 4)] == [True, False, True, True]
    assert "MSG_SIZE_TOO_LARGE" in rows[2].cause
    assert len([record for record in consume_until(narrow, 4) if record.key() == b"refused"]) == 1
