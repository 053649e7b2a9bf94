"""The sweep on a real broker: it loses nothing when Valkey loses everything, never floods a queue, and runs once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from notifications_service.notifications import services, tasks
from notifications_service.notifications.domain import Channel, Kind
from notifications_service.notifications.models import Notification
from notifications_service.notifications.queues import Queue
from notifications_service.notifications.services.sweep import FULL, LOW
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.workers import beat, channels, worker
from shared.db import try_advisory_xact_lock
from shared.ids import uuid7
from shared.testing import eventually, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def overdue_mails(count: int, *, kind: Kind = Kind.PASSENGER_RENAMED, channel: Channel = Channel.EMAIL) -> None:
    """Write `count` notifications that were due a minute ago and that no task knows of."""
    due = datetime.now(UTC) - timedelta(minutes=1)
    Notification.objects.bulk_create(
        Notification(
            person_id=uuid7(), channel=channel, kind=kind, event_id=str(uuid7()), created_at=due, next_attempt_at=due
        )
        for _ in range(count)
    )


def waiting() -> dict[Queue, int]:
    return {queue: tasks.waiting_in(queue) for queue in Queue}


def test_valkey_losing_everything_loses_nothing(valkey, users):
    """Thousands of tasks are gone. The sweep enqueues their notifications again from the database."""
    overdue_mails(2_000)
    tasks.sweep()
    assert tasks.waiting_in(Queue.MAIL) == FULL

    valkey.flushall()
    assert tasks.waiting_in(Queue.MAIL) == 0
    tasks.sweep()

    assert tasks.waiting_in(Queue.MAIL) == FULL
    assert Notification.objects.filter(status="PENDING").count() == 2_000


def test_a_sweep_never_floods_a_queue():
    """Ten sweeps find 2,000 overdue mails. Seen failing (10,000 tasks) without asking how many tasks wait."""
    overdue_mails(2_000)

    for _ in range(10):
        tasks.sweep()

    assert waiting() == {Queue.URGENT: 0, Queue.SMS: 0, Queue.DOCUMENTS: 0, Queue.MAIL: FULL}


def test_a_queue_is_refilled_before_it_is_empty(valkey):
    overdue_mails(FULL)
    tasks.sweep()
    valkey.delete(*valkey.keys("*"))
    for row in services.overdue(Queue.MAIL, limit=LOW - 1):
        tasks.enqueue(notification_id=row, queue=Queue.MAIL)

    tasks.sweep()

    assert tasks.waiting_in(Queue.MAIL) == FULL


def test_a_backlog_of_mails_does_not_keep_the_sweep_from_urgent_ones():
    """Seen failing (no urgent task) when one batch of the oldest rows served all queues."""
    overdue_mails(2 * FULL)
    overdue_mails(3, kind=Kind.RESET_PASSWORD)
    overdue_mails(2, kind=Kind.VERIFY_PHONE, channel=Channel.SMS)
    overdue_mails(4, kind=Kind.DEPARTURE_CANCELLED, channel=Channel.SMS)

    tasks.sweep()

    assert waiting() == {Queue.URGENT: 5, Queue.SMS: 4, Queue.DOCUMENTS: 0, Queue.MAIL: FULL}


def test_two_sweeps_do_not_run_at_the_same_time():
    """Seen failing (3 tasks twice) without the advisory lock."""
    overdue_mails(3)

    with transaction.atomic():
        assert try_advisory_xact_lock("notifications.sweep")
        assert race([tasks.sweep]) == [0]
    assert tasks.waiting_in(Queue.MAIL) == 0

    assert tasks.sweep() == 3


def test_two_beats_have_the_effect_of_one(users, mailbox, sms_folder, tmp_path):
    """Both beats run, and every mail is sent once, in one attempt."""
    with transaction.atomic():
        rows = [row for _ in range(10) for row in handle(confirmed(users.add()))]
    Notification.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    environment = channels(sms_folder)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()

    with (
        worker(tmp_path, **environment),
        worker(tmp_path, name="urgent", **environment),
        beat(folders[0]),
        beat(folders[1]),
    ):
        eventually(lambda: not Notification.objects.exclude(status="SENT").exists(), timeout=60)

    assert len(mailbox.mails) == 10
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}
    assert len(rows) == 20
