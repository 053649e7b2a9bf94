"""The relay: what it sends, in which order, and when it marks a row as delivered."""

from datetime import UTC, datetime

import psycopg
import pytest

from bookings_service.tests.integration.events.support import INVENTORY, changed, delivered, relaying, write
from shared.cloudevents import to_json
from shared.db import own_database
from shared.events import event_type
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.testing import eventually
from shared.testing.kafka import events_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]


def test_the_relay_is_woken_by_the_commit() -> None:
    key = uuid7()
    with relaying():
        warm = uuid7()
        write(warm, 1)
        events_of(INVENTORY, str(warm), count=1)
        notices = psycopg.connect(own_database(), autocommit=True)
        notices.execute("LISTEN outbox")
        write(key, 1, 2, 3)
        assert len(list(notices.notifies(timeout=2.0, stop_after=1))) == 1
        assert list(notices.notifies(timeout=0.3, stop_after=1)) == []  # one wake-up for three events
        notices.close()
        assert [event.sequence for event in events_of(INVENTORY, str(key), count=3)] == [1, 2, 3]
        eventually(delivered)


def test_the_sweep_sends_events_without_a_notification() -> None:
    """The row is written without the model's signal; the relay's sweep finds it."""
    key = uuid7()
    with relaying():
        message = changed(key, 1)
        OutboxEvent.objects.create(
            type=event_type(message).type, topic=event_type(message).topic, key=str(key), sequence=1, value=to_json(message),
            occurred_at=datetime.now(UTC),
        )  # fmt: skip
        assert events_of(INVENTORY, str(key), count=1)[0].sequence == 1
        eventually(delivered)


def test_an_event_that_commits_late_is_sent() -> None:
    """A lower id commits after a higher id was sent.

    Seen failing if the relay selects `id > last sent id` in `undelivered`.
    """
    early, late = uuid7(), uuid7()
    with relaying(), psycopg.connect(own_database()) as slow:
        slow.execute(
            "INSERT INTO outbox_outboxevent (event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at)"
            " VALUES (%s, 'travel.bookings.inventory.changed.v1', 'travel.bookings.inventory', %s, 1, '{}', '', '', now())",
            [uuid7(), str(early)],
        )
        write(late, 1)
        events_of(INVENTORY, str(late), count=1)
        slow.commit()
        assert events_of(INVENTORY, str(early), count=1)[0].sequence == 1


def test_one_relay_is_active_and_another_takes_over() -> None:
    key = uuid7()
    with relaying():
        with relaying() as first:
            write(key, 1)
            eventually(delivered)
            first.stop()
        write(key, 2)
        eventually(delivered)

    sequences = [event.sequence for event in events_of(INVENTORY, str(key), count=2)]
    assert sequences == [1, 2]


def test_a_killed_relay_sends_again_and_loses_nothing() -> None:
    """The relay dies after it has sent the events and before it marks them as delivered.

    Each event arrives at least once. After the duplicates are removed, the events are in order.
    """
    key = uuid7()
    write(key, 1, 2)
    with relaying():
        events_of(INVENTORY, str(key), count=2)
        eventually(delivered)
    OutboxEvent.objects.update(delivered_at=None)
    write(key, 3)

    with relaying():
        eventually(delivered)

    assert [event.sequence for event in events_of(INVENTORY, str(key), count=5)] == [1, 2, 1, 2, 3]
