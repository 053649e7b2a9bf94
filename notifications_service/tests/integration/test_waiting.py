"""What waits is counted for `status`, `doctor` and the health endpoint, on a real database and a real broker."""

from datetime import timedelta
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from notifications_service.notifications.models import Notification, PausedChannel
from notifications_service.tests.letters import BOOKING, confirmation, dead, parked
from shared import backlog
from shared.http import health
from shared.http.waiting import Waiting
from shared.ids import uuid7
from shared.inbox.models import BrakedType, DeadLetter, SkippedType
from shared.kafka import state as kafka_state
from shared.outbox.models import OutboxEvent
from shared.testing import eventually
from shared.testing.kafka import put_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def read() -> backlog.Backlog:
    """Return what waits, as the launcher reads it."""
    with connection.cursor() as cursor:

        def run(sql: str) -> list:
            cursor.execute(sql)
            return cursor.fetchall()

        return backlog.read(run)


def six_dead_and_one_parked() -> None:
    key = str(uuid7())
    dead(confirmation(key=key))
    for offset in range(1, 6):
        dead(confirmation(), offset=offset)
    parked(confirmation(key=key), offset=6)


def to_send(*, key: str, **fields) -> None:
    OutboxEvent.objects.create(
        type="t",
        topic="a.b.c",
        key=key,
        sequence=1,
        value="{}",
        occurred_at=timezone.now() - timedelta(seconds=60),
        **fields,
    )


def test_the_health_endpoint_counts_letters_and_tells_nothing_else(monkeypatch):
    monkeypatch.setattr(health, "_waiting", Waiting())
    six_dead_and_one_parked()

    answer = Client().get("/health/ready")

    assert answer.status_code == 200
    waiting = answer.json()["waiting"]
    assert waiting["inbox"] == {
        "dead": 6, "parked": 1, "braked": 0, "retrying": 0, "braked_types": 0, "skipped_types": 0, "skipped_events": 0,
    }  # fmt: skip
    for secret in ("Refuses", "travel.bookings", str(DeadLetter.objects.first().key)):
        assert secret not in answer.text


def test_the_health_endpoint_asks_the_database_at_most_every_five_seconds(monkeypatch, django_assert_num_queries):
    """Seen failing (7 more queries) without _due."""
    monkeypatch.setattr(health, "_waiting", Waiting())
    client = Client()
    client.get("/health/ready")

    with django_assert_num_queries(1):  # whether the database answers
        client.get("/health/ready")


def test_a_database_without_the_tables_leaves_a_service_ready(monkeypatch):
    """Seen failing (500) without the guard in _counts: an older schema, or a statement that takes too long."""
    monkeypatch.setattr(backlog, "_OUTBOX", "SELECT 1 FROM no_such_table")
    monkeypatch.setattr(health, "_waiting", Waiting())

    answer = Client().get("/health/ready")

    assert answer.status_code == 200
    assert "inbox" not in answer.json()["waiting"]


def test_events_behind_one_that_was_set_aside_are_not_late():
    """Seen failing (2 waiting, 60 s old, so `doctor` said that the relay is late) without the join with `aside`."""
    to_send(key="k", set_aside_at=Now(), cause="too large")
    to_send(key="k")
    to_send(key="discarded", set_aside_at=Now(), delivered_at=Now())

    assert read().outbox == backlog.Outbox(waiting=0, oldest_seconds=0.0, set_aside=1, behind=1)
    to_send(key="other")
    outbox = read().outbox
    assert (outbox.waiting, round(outbox.oldest_seconds)) == (1, 60)


def test_unsent_messages_and_paused_channels_are_found():
    """A mail that waits for 20 minutes, an SMS for one, and a paused channel."""
    for channel, minutes in (("EMAIL", 20), ("SMS", 1)):
        notification = Notification.objects.create(
            person_id=uuid4(), channel=channel, kind="BOOKING_CONFIRMED", event_id=str(uuid4())
        )
        Notification.objects.filter(id=notification.id).update(created_at=Now() - timedelta(minutes=minutes))
    PausedChannel.objects.create(channel="EMAIL", cause="535 wrong password", next_probe_at=Now())

    messages = read().messages
    assert {name: (unsent.count, round(unsent.oldest_seconds)) for name, unsent in messages.unsent.items()} == {
        "EMAIL": (1, 1200),
        "SMS": (1, 60),
    }
    assert [(paused.name, paused.cause) for paused in messages.paused] == [("EMAIL", "535 wrong password")]
    assert read().counts()["messages"]["paused_channels"] == 1


def test_braked_and_skipped_types_are_found():
    BrakedType.objects.create(consumer="notifications", event_type="a.v1", cause="no room", next_probe_at=Now())
    SkippedType.objects.create(consumer="notifications", topic=BOOKING, event_type="b.v9", count=3)

    inbox = read().inbox

    assert [(braked.name, braked.cause) for braked in inbox.braked_types] == [("a.v1", "no room")]
    assert [(skipped.type, skipped.count) for skipped in inbox.skipped_types] == [("b.v9", 3)]
    assert inbox.skipped_types[0].first < inbox.skipped_types[0].last
    assert read().counts()["inbox"]["skipped_events"] == 3


def known_lag() -> list[int]:
    """Return the lag in a list, or none while the brokers of a new topic are not settled."""
    try:
        return [kafka_state.lag("notifications")]
    except KafkaException:
        return []


@pytest.mark.usefixtures("kafka_topics")
def test_the_records_that_a_consumer_has_yet_to_read_are_counted():
    (before,) = eventually(known_lag)
    for _ in range(3):
        put_event(BOOKING, confirmation())

    assert known_lag() == [before + 3]
    waiting = Waiting()
    assert eventually(lambda: waiting.numbers()["to_read"]) == before + 3


def test_only_the_first_line_of_a_cause_is_shown():
    """Seen failing (the whole row) without split_part: PostgreSQL adds the row that it refused to its message."""
    cause = "IntegrityError: a check is violated\nDETAIL:  Failing row contains (ann@example.org)."
    BrakedType.objects.create(consumer="notifications", event_type="a.v1", cause=cause, next_probe_at=Now())
    PausedChannel.objects.create(channel="EMAIL", cause=cause, next_probe_at=Now())

    stopped = [*read().inbox.braked_types, *read().messages.paused]

    assert [each.cause for each in stopped] == ["IntegrityError: a check is violated"] * 2
