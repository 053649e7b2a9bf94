"""The inbox stays as large as its retention, however many events come, and purging never disturbs the consumer."""

import time
from datetime import timedelta

import pytest
import structlog
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from notifications_service.tests.events.records import Handler, confirmation, work
from shared.inbox import purging
from shared.inbox.models import DeadLetter, DeadLetterAction, InboxMessage, SkippedType
from shared.testing.scale import scaled, show

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = scaled(reduced=20_000, whole=1_000_000)
STEP = EVENTS // 20
EVENTS_PER_SECOND = 100


def take(number: int, *, age: timedelta) -> None:
    """Insert `number` inbox rows of this age."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_inboxmessage (consumer, event_id, received_at)"
            " SELECT 'notifications', gen_random_uuid(), now() - %s FROM generate_series(1, %s)",
            [age, number],
        )


def test_the_inbox_stays_flat(settings, monkeypatch, capsys):
    """Each step's events are past their retention when the next ones come. A round is a tenth of its normal time.

    Seen failing (all rows left) without the rounds, and (a round of 9 s with 1,000,000 rows) as one DELETE of all rows.
    """
    settings.INBOX_RETENTION = timedelta(days=30)
    monkeypatch.setattr(purging, "_ROUND_SECONDS", 0.05)
    most, longest, deleted, spent = 0, 0.0, 0, 0.0
    for _ in range(EVENTS // STEP):
        take(STEP, age=timedelta(days=31))
        most = max(most, InboxMessage.objects.count())
        rows = 1
        while rows:
            began = time.monotonic()
            rows = purging.purge_round(consumer="notifications")
            took = time.monotonic() - began
            deleted, spent, longest = deleted + rows, spent + took, max(longest, took)

    show(capsys, f"{deleted:,} inbox rows deleted, {deleted / spent:,.0f}/s; the longest round took {longest:.2f} s")
    assert (deleted, InboxMessage.objects.count()) == (EVENTS, 0)
    assert most == STEP
    assert deleted / spent > EVENTS_PER_SECOND * purging.ROUND_EVERY_SECONDS / 0.5  # in the time that rounds have
    assert longest < 5.0


def test_only_what_is_past_its_retention_is_deleted(settings):
    """Seen failing (younger and open rows deleted) without each of the conditions."""
    settings.INBOX_RETENTION = timedelta(days=10)
    take(2, age=timedelta(days=11))
    take(3, age=timedelta(days=9))
    handler = Handler()
    handler.broken = True
    work(handler.effects(), *map(confirmation, ["open", "old", "new"]))
    handler.effects().apply(confirmation("a", type="travel.bookings.booking.sold.v1"))
    DeadLetter.objects.filter(key__in=["old", "new"]).update(status="DISCARDED")
    DeadLetterAction.objects.create(letter=DeadLetter.objects.get(key="old"), kind="DISCARD", by="staff")
    DeadLetter.objects.filter(key__in=["old", "open"]).update(changed_at=Now() - timedelta(days=11))

    assert purging.purge_round(consumer="notifications") == 3

    assert InboxMessage.objects.count() == 3
    assert set(DeadLetter.objects.values_list("key", flat=True)) == {"open", "new"}
    assert SkippedType.objects.count() == 1
    SkippedType.objects.update(last_at=Now() - timedelta(days=11))
    assert purging.purge_round(consumer="notifications") == 1


def test_an_action_of_staff_is_neither_changed_nor_deleted_before_its_letter_is_old():
    """Seen failing (changed, and deleted) without the trigger."""
    handler = Handler()
    handler.broken = True
    work(handler.effects(), confirmation("settled"))
    DeadLetter.objects.update(status="DISCARDED")
    DeadLetterAction.objects.create(letter=DeadLetter.objects.get(), kind="DISCARD", by="staff", reason="twice")

    for change in (
        lambda: DeadLetterAction.objects.update(by="somebody else"),
        lambda: DeadLetterAction.objects.all().delete(),
        lambda: DeadLetter.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            change()

    assert DeadLetterAction.objects.get().by == "staff"


def test_a_purge_that_fails_disturbs_nothing():
    """A trigger refuses each deletion. Seen failing (the error reached the consumer's loop) without the `except`."""
    take(5, age=timedelta(days=400))
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE query_canceled; END $$;
            CREATE TRIGGER refuse_deletion BEFORE DELETE ON inbox_inboxmessage
            FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
        """)
    try:
        with structlog.testing.capture_logs() as logs:
            assert purging.purge_round(consumer="notifications") == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse_deletion ON inbox_inboxmessage; DROP FUNCTION refuse_deletion")

    assert [line["event"] for line in logs] == ["inbox_not_purged"]
    assert InboxMessage.objects.count() == 5


def test_locked_rows_are_left_for_the_next_round():
    """Seen failing (a lock timeout after 2 s) without SKIP LOCKED."""
    take(1, age=timedelta(days=400))
    take(1, age=timedelta(days=401))
    held = connection.copy()
    try:
        held.set_autocommit(False)
        with held.cursor() as cursor:
            cursor.execute("SELECT id FROM inbox_inboxmessage ORDER BY id LIMIT 1 FOR UPDATE")
        began = time.monotonic()
        assert purging.purge_round(consumer="notifications") == 1
        assert time.monotonic() - began < 1.5
    finally:
        held.close()
