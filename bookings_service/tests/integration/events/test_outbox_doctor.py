"""`outbox_doctor`: what it shows, and what it does about an event that was set aside."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from bookings_service.tests.commands import last, run
from bookings_service.tests.integration.events.support import INVENTORY, delivered, relaying, write
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.testing import eventually
from shared.testing.kafka import events_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]


@pytest.fixture
def aside() -> OutboxEvent:
    """An event that is set aside, with two events behind it and one of another key."""
    key = uuid7()
    write(key, 1, 2, 3)
    write(uuid7(), 1)
    OutboxEvent.objects.filter(key=str(key), sequence=1).update(
        set_aside_at=Now(), cause="MSG_SIZE_TOO_LARGE: too large"
    )
    return OutboxEvent.objects.get(key=str(key), sequence=1)


def sequences(event: OutboxEvent, count: int) -> list[int]:
    return [each.sequence for each in events_of(INVENTORY, event.key, count=count)]


def test_an_event_set_aside_is_shown_with_what_to_type(aside: OutboxEvent) -> None:
    code, output = run("outbox_doctor")

    assert code == 1
    assert "MSG_SIZE_TOO_LARGE: too large" in output
    assert "1 events wait" in output
    assert "1 are set aside, with 2 behind them; no relay is active." in output
    assert f"./manage_all.py manage bookings outbox_doctor --retry {aside.id}" in output


def test_all_is_well_with_a_relay_and_nothing_late() -> None:
    write(uuid7(), 1)
    with relaying():
        eventually(delivered)
        code, output = run("outbox_doctor")

    assert code == 0
    assert last(output) == "1 delivered events are kept for 7 days; none is overdue."


def test_a_late_event_is_a_finding() -> None:
    with relaying():
        eventually(lambda: run("outbox_doctor")[0] == 0)
    write(uuid7(), 1)
    OutboxEvent.objects.update(occurred_at=Now() - timedelta(minutes=5))

    code, output = run("outbox_doctor", "--late", "60")

    assert (code, "Type: ./manage_all.py up --detach" in output) == (1, True)


def test_a_retried_event_is_sent_and_its_key_follows(aside: OutboxEvent) -> None:
    """Seen failing (nothing of the key was sent) if `retry` keeps set_aside_at."""
    code, output = run("outbox_doctor", "--retry", str(aside.id))
    assert (code, "and then the events behind it (2)" in output) == (0, True)

    with relaying():
        eventually(delivered)
    assert sequences(aside, 3) == [1, 2, 3]


def test_a_discarded_event_is_never_sent_and_its_key_follows(aside: OutboxEvent) -> None:
    """Seen failing (1, 2, 3 were sent) if `discard` clears set_aside_at instead of setting delivered_at."""
    code, output = run("outbox_doctor", "--discard", str(aside.id), "--reason", "the  booking was a test")
    assert (code, "Type the command again with --yes." in output) == (1, True)
    assert OutboxEvent.objects.get(id=aside.id).delivered_at is None

    assert run("outbox_doctor", "--discard", str(aside.id), "--reason", "the  booking was a test", "--yes")[0] == 0
    with relaying():
        eventually(delivered)

    assert sequences(aside, 2) == [2, 3]
    discarded = OutboxEvent.objects.get(id=aside.id)
    assert discarded.set_aside_at is not None
    assert discarded.cause == "Discarded: the booking was a test. MSG_SIZE_TOO_LARGE: too large"


@pytest.mark.parametrize("option", ["--retry", "--discard"])
def test_an_event_that_is_not_set_aside_is_refused(option: str) -> None:
    write(uuid7(), 1)
    event = OutboxEvent.objects.get()
    words = ["--reason", "gone", "--yes"] if option == "--discard" else []

    assert run("outbox_doctor", option, str(event.id), *words) == (1, f"No event {event.id} is set aside.")
    assert OutboxEvent.objects.get().delivered_at is None


@pytest.mark.parametrize(
    "words",
    [
        ["--retry", "1", "--discard", "1", "--reason", "gone"],
        ["--discard", "1"],
        ["--reason", "gone"],
        ["--yes"],
        ["--discard", "1", "--reason", "  "],
        ["--discard", "1", "--reason", "x" * 201],
        ["--retry", "0"],
        ["--retry", "one"],
        ["--late", "-1"],
    ],
)
def test_options_that_do_not_fit_are_refused(words: list[str]) -> None:
    code, output = run("outbox_doctor", *words)

    assert code in (1, 2)  # 1 by argparse's own check when it is called from a test
    assert "Traceback" not in output
