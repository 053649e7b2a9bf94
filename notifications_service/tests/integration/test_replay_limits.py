"""A replay beside a running consumer, how far back it may reach, and what it takes from the counts of skipped types."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications_service.billing.models import Invoice
from notifications_service.notifications.models import Notification
from notifications_service.tests.integration.test_consumer import running
from notifications_service.tests.integration.test_replay_commands import put_and_commit, run
from notifications_service.tests.letters import BOOKING, confirmation
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox.management.commands import replay_events
from shared.inbox.models import SkippedType
from shared.testing import eventually
from shared.testing.kafka import put_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]

CONFIRMED = "travel.bookings.booking.confirmed.v1"
EVENTS = 20


def skipped(*, count: int, type_: str = CONFIRMED) -> None:
    SkippedType.objects.create(consumer="notifications", topic=topic_name(BOOKING), event_type=type_, count=count)


def since(**past: int) -> tuple[str, str, str, str]:
    """Return the arguments for the time from `past` until now."""
    now = datetime.now(UTC)
    return ("--from", (now - timedelta(**past)).isoformat(), "--to", (now + timedelta(seconds=5)).isoformat())


def test_a_replay_beside_a_running_consumer_takes_each_event_once():
    """The replay runs over and over while the consumer takes the events: some before it, some after it.

    Seen failing (the last replay lets events take effect) with a replay that does not look for inbox rows.
    """
    between = put_and_commit(*(lost := [confirmation() for _ in range(5)]))[:2]
    events = [confirmation() for _ in range(EVENTS)]
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with running() as ended:
        for event in events:
            put_event(BOOKING, event)
            if Invoice.objects.count() < len(lost) + EVENTS // 2:
                assert run("replay_events", *between, "--to", until, "--yes")[0] == 0
        eventually(lambda: Invoice.objects.count() == len(lost) + EVENTS, timeout=30)
        code, output = run("replay_events", *between, "--to", until, "--yes")

    assert (code, ended) == (0, [])
    assert "0 events took effect, 0 blocked, 0 failed." in output
    assert Invoice.objects.count() == len(lost) + EVENTS
    assert Notification.objects.count() == 2 * (len(lost) + EVENTS)


def test_a_range_older_than_the_inbox_is_refused(settings):
    """Seen failing (0 events would take effect) without the check: events whose inbox row is deleted would look new."""
    settings.INBOX_RETENTION = timedelta(days=10)
    put_event(BOOKING, confirmation())

    code, output = run("replay_events", *since(days=10, minutes=1))
    assert code == 2
    assert "the inbox forgets after 10 days (INBOX_RETENTION_DAYS) which events took effect" in output
    assert "Events in this range" in run("replay_events", *since(days=9, hours=23))[1]


def test_a_replay_takes_what_it_applied_from_the_skipped_events():
    """Seen failing (still 3) without count_replayed, so `doctor` went on to ask for the replay."""
    event = confirmation()
    between = put_and_commit(event)
    skipped(count=3)

    run("replay_events", *between)
    assert SkippedType.objects.get().count == 3
    assert run("replay_events", *between, "--yes")[0] == 0
    assert SkippedType.objects.get().count == 2


@pytest.fixture
def young_broker(monkeypatch):
    """A broker that keeps no event from before the test, so that every range begins with its oldest event."""
    monkeypatch.setattr(replay_events, "_KEPT_BY_KAFKA", timedelta(0))


@pytest.mark.usefixtures("young_broker")
def test_a_replay_of_all_that_kafka_keeps_forgets_skipped_events():
    """A record that came twice was counted twice. Types that this release does not know stay counted.

    Seen failing (both types left) without forget_skipped.
    """
    between = put_and_commit(confirmation())
    skipped(count=4)
    skipped(count=1, type_="travel.bookings.booking.sold.v9")

    assert run("replay_events", *between, "--yes")[0] == 0
    assert list(SkippedType.objects.values_list("event_type", flat=True)) == ["travel.bookings.booking.sold.v9"]


@pytest.mark.parametrize(
    "narrowed", [("--type", "travel.bookings.booking.cancelled.v1"), ("--aggregate", str(uuid7()))]
)
@pytest.mark.usefixtures("young_broker")
def test_a_replay_of_other_events_keeps_the_count(narrowed):
    """Seen failing (no row) if the narrowing is not looked at."""
    between = put_and_commit(confirmation())
    skipped(count=4)

    run("replay_events", *between, *narrowed, "--yes")

    assert SkippedType.objects.get().count == 4


@pytest.mark.usefixtures("young_broker")
def test_a_replay_that_leaves_events_keeps_the_count():
    """Seen failing (no row) if the count is forgotten whatever the replay left."""
    between = put_and_commit(confirmation())
    put_event(BOOKING, confirmation())
    skipped(count=4)

    run("replay_events", *between, "--yes")

    assert SkippedType.objects.get().count == 3
