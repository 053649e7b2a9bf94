"""What this release does not know: skipped and counted, or kept for the upgrade if an effect would be lost."""

import pytest
import structlog

from contracts.travel.events.v1.users_pb2 import UserLinkRequested
from notifications_service.notifications.models import Notification
from notifications_service.tests.events.records import CONFIRMED, Handler, confirmation, record, retry_all, statuses
from notifications_service.tests.factories import envelope
from shared import events
from shared.ids import uuid7
from shared.inbox import resolving
from shared.inbox.effects import Effects
from shared.inbox.models import BrakedType, DeadLetter, InboxMessage, SkippedType
from shared.kafka import NeedsUpgrade
from shared.kafka.handlers import registered

pytestmark = pytest.mark.django_db(transaction=True)

SOLD = "travel.bookings.booking.sold.v1"
NEWER = "travel.bookings.booking.confirmed.v2"


@pytest.fixture
def upgrade(monkeypatch):
    """Return a function that makes `type_` known, as a confirmation."""

    def known(type_: str) -> None:
        monkeypatch.setitem(events._BY_TYPE, type_, events.message_class(CONFIRMED))

    return known


def test_unknown_types_are_skipped_and_counted():
    """The key flows on, and each type is logged once. Seen failing (the key parked) when an unknown type was bad."""
    handler = Handler()
    effects = handler.effects()

    with structlog.testing.capture_logs() as logs:
        for event in [confirmation("a", type=SOLD), confirmation("a", type=NEWER), confirmation("a", type=SOLD)]:
            effects.apply(event)
        assert effects.apply_all([confirmation("b", type=SOLD), confirmation("a", sequence=2)])

    assert handler.done == {"a": [2]}
    assert dict(SkippedType.objects.values_list("event_type", "count")) == {SOLD: 3, NEWER: 1}
    assert [line["type"] for line in logs if line["event"] == "unknown_event_type_skipped"] == [SOLD, NEWER]
    assert InboxMessage.objects.count() == 1
    assert not DeadLetter.objects.exists()


def test_a_skipped_event_takes_effect_when_it_comes_again_after_the_upgrade(upgrade):
    handler, event = Handler(), confirmation("a", type=SOLD)
    handler.effects().apply(event)

    upgrade(SOLD)
    handler.effects().apply(event)

    assert handler.done == {"a": [1]}


def test_a_required_unknown_type_waits_for_the_upgrade_with_its_key(upgrade):
    """Seen failing (skipped) without the mark of the producer, and (still waiting) without release_after_upgrade."""
    handler = Handler()
    effects = handler.effects()
    assert not effects.apply_all([confirmation("a", type=SOLD, required=True), confirmation("b")])
    for event in [
        confirmation("a", type=SOLD, required=True),
        confirmation("a", sequence=2),
        confirmation("b", sequence=3),
    ]:
        effects.apply(event)
    retry_all(effects)
    assert (statuses("a"), handler.done) == (["BRAKED", "PARKED"], {"b": [3]})
    assert DeadLetter.objects.get(event_type=SOLD).fault == DeadLetter.Fault.RELEASE

    handler.effects().keys_to_retry()  # a start of the old release changes nothing
    assert statuses("a") == ["BRAKED", "PARKED"]
    upgrade(SOLD)
    retry_all(handler.effects())

    assert handler.done == {"b": [3], "a": [1, 2]}
    assert statuses("a") == ["RETRIED", "RETRIED"]
    assert not SkippedType.objects.exists()


def test_staffs_retry_of_what_needs_an_upgrade_waits_again():
    handler = Handler()
    effects = handler.effects()
    effects.apply(confirmation("a", type=SOLD, required=True))

    resolving.retry(dead_letter_id=DeadLetter.objects.get().id, by="staff")
    retry_all(effects)

    letter = DeadLetter.objects.get()
    assert (letter.status, letter.fault, letter.attempts) == ("BRAKED", "RELEASE", 0)


def link_requested(**fields: object) -> object:
    """Return the event of a link request as a record."""
    request_id = str(uuid7())
    event = UserLinkRequested(request_id=request_id, user_id=str(uuid7()), **fields)
    return record(envelope(event, key=request_id), topic="travel.users.user")


def test_unknown_purposes_of_links_wait_for_the_upgrade_and_brake_nothing():
    """Seen failing (five attempts each, then the type braked) when the handler raised ValueError."""
    effects = Effects(name="notifications", handlers=registered)
    for _ in range(8):
        effects.apply(link_requested(purpose=4711))
    effects.apply(link_requested(purpose=1))

    assert not BrakedType.objects.exists()
    assert set(DeadLetter.objects.values_list("status", "fault", "attempts")) == {("BRAKED", "RELEASE", 0)}
    assert Notification.objects.count() == 1
    retry_all(Effects(name="notifications", handlers=registered))
    assert set(DeadLetter.objects.values_list("status", "fault", "attempts")) == {("BRAKED", "RELEASE", 0)}

    handled = []
    newer = {**registered, UserLinkRequested: lambda event, *, received: handled.append(event.purpose)}
    retry_all(Effects(name="notifications", handlers=newer))

    assert handled == [4711] * 8
    assert set(DeadLetter.objects.values_list("status", flat=True)) == {"RETRIED"}


def test_what_needs_an_upgrade_is_no_attempt():
    calls = []

    def handler(event: object, *, received: object) -> None:
        calls.append(1)
        raise NeedsUpgrade("new")

    Effects(name="notifications", handlers={events.message_class(CONFIRMED): handler}).apply(confirmation("a"))

    assert (len(calls), statuses("a"), DeadLetter.objects.get().cause) == (1, ["BRAKED"], "new")
    assert not InboxMessage.objects.exists()


def test_invented_types_fill_neither_the_table_nor_the_log(monkeypatch):
    """Seen failing (a row and a line for each name) without MOST_SKIPPED_TYPES."""
    monkeypatch.setattr("shared.inbox.effects.MOST_SKIPPED_TYPES", 3)
    effects = Handler().effects()
    invented = [f"travel.bookings.booking.invented{number}.v1" for number in range(9)]

    with structlog.testing.capture_logs() as logs:
        for event in [confirmation("a", type=type_) for type_ in [*invented, *invented]]:
            effects.apply(event)

    counts = dict(SkippedType.objects.values_list("event_type", "count"))
    assert counts == {**dict.fromkeys(invented[:3], 2), "(other types)": 12}
    assert len([line for line in logs if line["event"] == "unknown_event_type_skipped"]) == 4
