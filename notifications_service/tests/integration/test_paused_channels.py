"""A paused channel: nothing is sent over it, one worker at a time probes it, and it drains when it works again."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.travel.events.v1 import bookings_pb2
from notifications_service.notifications import services
from notifications_service.notifications.domain import Channel, Status
from notifications_service.notifications.models import Notification, PausedChannel
from notifications_service.notifications.queues import Queue
from notifications_service.notifications.services import attempts
from notifications_service.tests.factories import confirmed, eur, handle, snapshot
from shared.testing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

REFUSED = "550 5.7.1 sender not yours"


def mails(users, count: int) -> list[Notification]:
    """Return as many mails that have been due for a while."""
    rows = [handle(confirmed(users.add()))[0] for _ in range(count)]
    Notification.objects.filter(channel="SMS").delete()
    Notification.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    return rows


def deliver_all(rows: list[Notification]) -> list[Status | None]:
    return [services.deliver(notification_id=row.id) for row in rows]


def probe_is_due() -> None:
    PausedChannel.objects.update(next_probe_at=datetime.now(UTC) - timedelta(seconds=1))


def swept() -> list:
    return [notification_id for queue in Queue for notification_id in services.overdue(queue)]


def test_nothing_is_sent_until_a_probe_is_due(users, mail_server):
    """Seen failing (three refusals) without the look at PausedChannel in the claim."""
    rows = mails(users, 3)
    mail_server.replies["MAIL"] = REFUSED

    assert deliver_all(rows) == [Status.PENDING, None, None]

    assert mail_server.commands.count("MAIL") == 1
    assert swept() == []
    probe_is_due()
    assert len(swept()) == 1


def test_one_worker_probes(users, mail_server):
    """Eight workers race for the probe.

    Seen failing (eight probes) without the condition on next_probe_at in `take_probe`.
    """
    rows = mails(users, 9)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    probe_is_due()

    race([lambda row=row: services.deliver(notification_id=row.id) for row in rows[1:]])

    assert mail_server.commands.count("MAIL") == 2
    assert PausedChannel.objects.get().probes == 1
    assert not Notification.objects.exclude(failures=0, status="PENDING").exists()


def test_a_probe_that_is_accepted_ends_the_pause_and_everything_goes_out(users, mail_server, caplog):
    rows = mails(users, 4)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    del mail_server.replies["MAIL"]
    probe_is_due()

    (probe,) = swept()
    assert services.deliver(notification_id=probe) is Status.SENT

    assert not PausedChannel.objects.exists()
    assert "channel_resumed" in caplog.text
    for notification_id in swept():
        services.deliver(notification_id=notification_id)
    Notification.objects.filter(status="PENDING").update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    deliver_all(rows)
    assert set(Notification.objects.values_list("status", "failures")) == {("SENT", 0)}


def test_a_probe_that_fails_waits_longer_and_logs_no_second_alarm(users, mail_server, caplog):
    rows = mails(users, 6)
    mail_server.replies["MAIL"] = REFUSED
    waits = []

    for row in rows:
        services.deliver(notification_id=row.id)
        waits.append((PausedChannel.objects.get().next_probe_at - datetime.now(UTC)).total_seconds())
        probe_is_due()

    for wait, step in zip(waits, (10, 20, 40, 80, 120, 120), strict=True):
        assert step / 2 - 1 < wait <= step
    assert caplog.text.count("alarm:channel_paused") == 1


@pytest.mark.parametrize("reply", ["550 5.1.1 no such mailbox", "550 5.4.1 no route"])
def test_a_refused_recipient_shows_that_the_channel_works(users, mail_server, reply):
    rows = mails(users, 2)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    mail_server.replies.update({"MAIL": "250 OK", "RCPT": reply})
    probe_is_due()

    assert services.deliver(notification_id=rows[1].id) is Status.FAILED
    assert not PausedChannel.objects.exists()


def test_a_passing_fault_of_the_probe_keeps_the_pause(users, mail_server):
    rows = mails(users, 2)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    mail_server.replies["MAIL"] = "451 try later"
    probe_is_due()

    assert services.deliver(notification_id=rows[1].id) is Status.PENDING
    assert PausedChannel.objects.get().next_probe_at > datetime.now(UTC)


def test_a_probe_that_did_not_reach_the_server_leaves_the_probe_to_the_next(users, mail_server):
    """Seen failing (the next probe 20 s later) without `probe_now` after a suppressed notification."""
    declined = handle(
        bookings_pb2.RefundSucceeded(
            booking=snapshot(users.add(notify_by_email=False)),
            refund=bookings_pb2.RefundSnapshot(refund_id="0193b7c0-0000-7000-8000-000000000001", amount=eur(100)),
        )
    )[0]
    rows = mails(users, 2)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    del mail_server.replies["MAIL"]
    probe_is_due()

    assert services.deliver(notification_id=declined.id) is Status.SUPPRESSED
    assert PausedChannel.objects.exists()
    assert services.deliver(notification_id=rows[1].id) is Status.SENT
    assert not PausedChannel.objects.exists()


def test_a_lost_prober_leaves_the_probe_to_another_after_its_lease(users, mail_server, settings):
    settings.NOTIFICATIONS_LEASE_SECONDS = 20
    rows = mails(users, 2)
    mail_server.replies["MAIL"] = REFUSED
    services.deliver(notification_id=rows[0].id)
    probe_is_due()

    claimed = attempts.claim(rows[1].id)

    assert claimed.is_probe
    lease = PausedChannel.objects.get().next_probe_at - datetime.now(UTC)
    assert timedelta(seconds=15) < lease <= timedelta(seconds=20)


def test_the_other_channel_goes_on(users, mail_server, sms_folder):
    email, sms = handle(confirmed(users.add()))
    mail_server.replies["MAIL"] = REFUSED

    assert deliver_all([email, sms]) == [Status.PENDING, Status.SENT]
    assert PausedChannel.objects.get().channel == Channel.EMAIL
