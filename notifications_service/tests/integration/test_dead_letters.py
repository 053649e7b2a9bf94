"""What staff do with dead letters: a retry says what follows, and a discard is for good and has a reason."""

import pytest
from django.db import OperationalError

from notifications_service.billing.models import Invoice
from notifications_service.tests.letters import confirmation, dead, parked, record
from shared.ids import uuid7
from shared.inbox import resolving
from shared.inbox.effects import Effects
from shared.inbox.models import BrakedType, DeadLetter, DeadLetterAction, InboxMessage
from shared.kafka.handlers import registered

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def effects() -> Effects:
    return Effects(name="notifications", handlers=registered)


def statuses() -> list[str]:
    return list(DeadLetter.objects.order_by("id").values_list("status", flat=True))


def test_a_letter_of_a_topic_made_anew_is_kept_beside_an_old_one_at_its_offset():
    """Seen failing (one letter) with get_or_create by consumer, topic, partition and offset, as it was before."""
    old, new = confirmation(), confirmation()

    dead(old, offset=7)
    dead(new, offset=7)
    dead(new, offset=7)

    assert list(DeadLetter.objects.values_list("event_id", flat=True)) == [old.id, new.id]


def test_a_retry_says_which_events_follow_and_does_so():
    """A second dead letter of the key ends what follows."""
    key = str(uuid7())
    first = dead(confirmation(key=key), offset=0)
    for offset in (1, 2):
        parked(confirmation(key=key), offset=offset)
    dead(confirmation(key=key), offset=3, value=b"[]")
    parked(confirmation(key=key), offset=4)

    assert resolving.retry(dead_letter_id=first.id, by="staff") == 2
    while effects().retry_oldest(first.topic, key):
        pass

    assert statuses() == ["RETRIED", "RETRIED", "RETRIED", "DEAD", "PARKED"]
    assert Invoice.objects.count() == 3
    action = DeadLetterAction.objects.get()
    assert (action.letter_id, action.kind, action.by, action.reason) == (first.id, "RETRY", "staff", "")


def test_a_retry_of_a_parked_event_names_the_letter_that_it_waits_for():
    """Seen failing (the event became RETRYING, and nothing happened) with _resolve for every open letter, as before."""
    key = str(uuid7())
    head = dead(confirmation(key=key))
    behind = parked(confirmation(key=key))

    with pytest.raises(
        resolving.DeadLetterWaits, match=f"Event {behind.id} waits behind dead letter {head.id}"
    ) as refused:
        resolving.retry(dead_letter_id=behind.id, by="staff")

    assert (refused.value.code, refused.value.params["before"]) == ("DEAD_LETTER_WAITS", head.id)
    assert statuses() == ["DEAD", "PARKED"]
    assert not DeadLetterAction.objects.exists()


def test_a_retry_of_a_braked_event_lets_the_consumer_try_its_type_now():
    letter = dead(confirmation())
    DeadLetter.objects.update(status="BRAKED")
    type_ = BrakedType.objects.create(
        consumer="notifications", event_type=letter.event_type, cause="x", next_probe_at="2099-01-01T00:00Z"
    )

    resolving.retry(dead_letter_id=letter.id, by="staff")

    type_.refresh_from_db()
    assert type_.next_probe_at.year < 2099
    assert statuses() == ["BRAKED"]


def test_a_discarded_event_never_takes_effect_again():
    """Neither its second delivery nor a delivery after the letter was purged.

    Seen failing (an invoice) without receipts.receive in discard.
    """
    event = confirmation()
    letter = dead(event)

    resolving.discard(dead_letter_id=letter.id, by="finance@travel.example", reason="  invoiced by hand  ")
    effects().apply(record(event, offset=8))
    action = DeadLetterAction.objects.get()

    assert not Invoice.objects.exists()
    assert (action.kind, action.by, action.reason) == ("DISCARD", "finance@travel.example", "invoiced by hand")
    assert InboxMessage.objects.get().event_id == event.id
    assert statuses() == ["DISCARDED"]


def test_a_discard_and_its_inbox_row_are_one_transaction(monkeypatch):
    """Seen failing (an inbox row although the letter stayed, so its retry did nothing) without the transaction."""
    letter = dead(confirmation())

    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(resolving, "_settle", fail)
    with pytest.raises(OperationalError):
        resolving.discard(dead_letter_id=letter.id, by="staff", reason="x")

    assert not InboxMessage.objects.exists()
    assert statuses() == ["DEAD"]


def test_a_plan_names_what_is_retried_what_follows_and_what_waits():
    """Of two keys: a chosen dead letter with a chosen parked event, and a chosen event behind a dead letter."""
    key, other = str(uuid7()), str(uuid7())
    first = dead(confirmation(key=key), offset=0)
    second = parked(confirmation(key=key), offset=1)
    parked(confirmation(key=key), offset=2)
    head = dead(confirmation(key=other), offset=3)
    last = parked(confirmation(key=other), offset=4)
    no_key = [dead(confirmation(key=""), offset=offset) for offset in (5, 6)]

    expected = resolving.plan([first.id, second.id, last.id, no_key[1].id])

    assert [(retry.letter.id, retry.follow) for retry in expected.retries] == [(first.id, 2), (no_key[1].id, 0)]
    assert [(letter.id, before) for letter, before in expected.waiting] == [(last.id, head.id)]


def test_an_unreadable_record_is_discarded_without_an_inbox_row():
    letter = dead(confirmation(), headers=[])

    resolving.discard(dead_letter_id=letter.id, by="staff", reason="not one of our events")

    assert not InboxMessage.objects.exists()
    assert statuses() == ["DISCARDED"]


def test_a_discarded_parked_event_leaves_the_order_of_the_others():
    key = str(uuid7())
    head = dead(confirmation(key=key))
    second = parked(confirmation(key=key), offset=1)
    third = parked(confirmation(key=key), offset=2)

    resolving.discard(dead_letter_id=second.id, by="staff", reason="sent twice")

    assert list(resolving.behind(head).values_list("id", flat=True)) == [third.id]
    assert statuses() == ["DEAD", "DISCARDED", "PARKED"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "REASON_REQUIRED"),
        (" \n\t", "REASON_REQUIRED"),
        ("\x00", "REASON_REQUIRED"),
        ("x" * 501, "REASON_TOO_LONG"),
    ],
)
def test_a_discard_without_a_short_reason_is_refused(reason, code):
    letter = dead(confirmation())

    with pytest.raises(resolving.Invalid) as refused:
        resolving.discard(dead_letter_id=letter.id, by="staff", reason=reason)

    assert (refused.value.code, refused.value.field) == (code, "reason")
    assert statuses() == ["DEAD"]
    assert not DeadLetterAction.objects.exists()
    assert not InboxMessage.objects.exists()


def test_a_settled_or_missing_letter_is_refused():
    letter = dead(confirmation())
    resolving.discard(dead_letter_id=letter.id, by="staff", reason="x")

    for act in (resolving.retry, lambda **ids: resolving.discard(**ids, reason="x")):
        with pytest.raises(resolving.DeadLetterResolved):
            act(dead_letter_id=letter.id, by="staff")
        with pytest.raises(resolving.DeadLetterNotFound):
            act(dead_letter_id=letter.id + 1, by="staff")
    assert DeadLetterAction.objects.count() == 1
