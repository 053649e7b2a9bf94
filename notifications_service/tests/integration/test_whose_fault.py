"""Whose fault is it? Every reply of a mail server, at every stage, on a real socket."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications_service.notifications import services
from notifications_service.notifications.domain import Channel
from notifications_service.notifications.models import Notification, PausedChannel, Undeliverable
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.scripted_smtp import CLOSE
from shared.outbox.models import OutboxEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

OURS = [
    ("banner", "554 no service here"),
    ("EHLO", "550 not for you"),
    ("AUTH", "535 5.7.8 wrong password"),
    ("AUTH", "534 too weak"),
    ("AUTH", "538 encrypt first"),
    ("AUTH", "432 choose a new password"),
    ("AUTH", "504 unknown mechanism"),
    ("MAIL", "530 5.7.0 sign in first"),
    ("MAIL", "550 5.7.1 sender not yours"),
    ("MAIL", "553 sender rejected"),
    ("RCPT", "530 sign in first"),
    ("RCPT", "550 5.1.8 your domain does not exist"),
]
PASSING = [
    ("banner", "421 busy"),
    ("banner", CLOSE),
    ("banner", "nonsense"),
    ("EHLO", "421 going down"),
    ("AUTH", "454 try later"),
    ("MAIL", "451 try later"),
    ("MAIL", CLOSE),
    ("RCPT", "450 4.2.0 greylisted"),
    ("RCPT", "452 4.2.2 mailbox full"),
    ("RCPT", "552 mailbox full"),
    ("RCPT", "552 5.2.2 mailbox full"),
    ("RCPT", "550 5.7.1 blocked by policy"),
    ("RCPT", CLOSE),
    ("DATA", "451 try later"),
    ("content", "451 try later"),
    ("content", "421 going down"),
    ("content", CLOSE),
]
BAD_ADDRESS = [
    ("RCPT", "550 no such mailbox"),
    ("RCPT", "550 5.1.1 no such mailbox"),
    ("RCPT", "550 5.2.1 mailbox disabled"),
    ("RCPT", "551 user not local"),
    ("RCPT", "553 mailbox name not allowed"),
    ("RCPT", "554 refused"),
    ("RCPT", "501 5.1.3 bad address syntax"),
    ("RCPT", "556 5.1.10 domain accepts no mail"),
]
BAD_MESSAGE = [
    ("MAIL", "552 too big"),
    ("RCPT", "550 5.2.3 too big"),
    ("RCPT", "550 5.4.1 no route"),
    ("DATA", "554 no valid recipient"),
    ("content", "554 5.7.1 looks like spam"),
    ("content", "550 refused"),
    ("content", "552 too big"),
]


@pytest.fixture
def row(users) -> Notification:
    """Return the mail of a confirmation that is due."""
    return handle(confirmed(users.add()))[0]


def attempt(row: Notification, server, settings, stage: str, reply: str) -> str:
    """Deliver the mail while the server replies so at `stage`. Return its new status."""
    server.replies[stage] = reply
    if stage == "EHLO":
        server.replies["HELO"] = reply
    if stage == "AUTH":
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "secret"
    services.deliver(notification_id=row.id)
    row.refresh_from_db()
    return row.status


@pytest.mark.parametrize(("stage", "reply"), OURS)
def test_our_fault_pauses_the_channel_and_counts_nothing(row, mail_server, settings, caplog, stage, reply):
    """Seen failing (FAILED after one attempt) before replies were told apart by their stage."""
    assert attempt(row, mail_server, settings, stage, reply) == "PENDING"

    assert (row.attempts, row.failures) == (1, 0)
    assert row.deliveries.get().outcome == "PAUSED"
    paused = PausedChannel.objects.get()
    assert (paused.channel, paused.probes) == ("EMAIL", 0)
    assert paused.cause.startswith(f"ChannelUnusable: {stage}: {reply[:3]}")
    assert timedelta(seconds=3) < paused.next_probe_at - datetime.now(UTC) <= timedelta(seconds=11)
    assert [record.levelname for record in caplog.records if "alarm:channel_paused" in record.getMessage()] == ["ERROR"]
    assert not Undeliverable.objects.exists()
    assert not OutboxEvent.objects.filter(type__contains="notification.").exists()


@pytest.mark.parametrize(("stage", "reply"), PASSING)
def test_a_passing_fault_is_tried_again_later(row, mail_server, settings, stage, reply):
    assert attempt(row, mail_server, settings, stage, reply) == "PENDING"

    assert (row.attempts, row.failures) == (1, 1)
    assert timedelta(0) < row.next_attempt_at - datetime.now(UTC) <= timedelta(seconds=3)
    assert not PausedChannel.objects.exists()
    assert not Undeliverable.objects.exists()


@pytest.mark.parametrize(("stage", "reply"), BAD_ADDRESS)
def test_a_refused_address_gets_nothing_more(row, mail_server, settings, stage, reply):
    """Seen failing (the second mail SENT) without the look at Undeliverable."""
    assert attempt(row, mail_server, settings, stage, reply) == "FAILED"
    del mail_server.replies[stage]
    later = _another(row)

    services.deliver(notification_id=later.id)

    later.refresh_from_db()
    assert (later.status, mail_server.mails) == ("SUPPRESSED", [])
    assert later.cause.startswith("undeliverable since ")
    assert f"{stage}: {reply[:3]}" in later.cause
    assert not PausedChannel.objects.exists()


@pytest.mark.parametrize(("stage", "reply"), BAD_MESSAGE)
def test_a_refused_message_says_nothing_about_the_address(row, mail_server, settings, stage, reply):
    assert attempt(row, mail_server, settings, stage, reply) == "FAILED"
    del mail_server.replies[stage]
    later = _another(row)

    services.deliver(notification_id=later.id)

    later.refresh_from_db()
    assert later.status == "SENT"
    assert mail_server.connections == 1
    assert not PausedChannel.objects.exists()


def test_a_malformed_address_is_refused_without_a_conversation(users, mail_server):
    row = handle(confirmed(users.add(email="ann at example.org")))[0]

    services.deliver(notification_id=row.id)

    row.refresh_from_db()
    assert (row.status, mail_server.connections) == ("FAILED", 0)
    assert Undeliverable.objects.get().person_id == row.person_id


def test_a_changed_address_is_free_again_and_staff_can_free_the_same(users, row, mail_server, settings):
    """No address is stored. The case of its letters does not matter."""
    assert attempt(row, mail_server, settings, "RCPT", "550 no such mailbox") == "FAILED"
    del mail_server.replies["RCPT"]
    assert not any("example.org" in str(value) for value in Undeliverable.objects.values_list().get())

    contact = users.contacts[str(row.person_id)]
    assert _status_with(contact, "ANN@example.org", row) == "SUPPRESSED"
    assert _status_with(contact, "ann.lindqvist@example.org", row) == "SENT"
    services.lift_undeliverable(undeliverable_id=Undeliverable.objects.get().id)
    assert _status_with(contact, "ann@example.org", row) == "SENT"


def test_a_server_that_does_not_offer_what_we_need_is_our_fault(row, mail_server, settings):
    """The settings ask for a password or for TLS, and the server has neither."""
    mail_server.replies["EHLO"] = "250 scripted"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "secret"

    services.deliver(notification_id=row.id)
    assert PausedChannel.objects.get().cause == "ChannelUnusable: AUTH: not offered"

    services.resume_channel(Channel.EMAIL)
    settings.EMAIL_USE_TLS = True
    services.deliver(notification_id=row.id)
    assert PausedChannel.objects.get().cause == "ChannelUnusable: STARTTLS: not offered"


def test_a_server_that_speaks_no_tls_is_our_fault(row, mail_server, settings):
    settings.EMAIL_USE_SSL = True
    services.deliver(notification_id=row.id)
    assert PausedChannel.objects.get().cause.startswith("ChannelUnusable: SSL")


def test_a_refused_connection_is_passing(row, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    services.deliver(notification_id=row.id)

    row.refresh_from_db()
    assert (row.status, row.failures, row.cause) == ("PENDING", 1, "TryLater: ConnectionRefusedError")


def test_a_mail_is_given_up_after_its_last_failure(row, mail_server, settings):
    Notification.objects.filter(id=row.id).update(failures=34)

    assert attempt(row, mail_server, settings, "RCPT", "450 greylisted") == "FAILED"
    assert row.cause == "given up: TryLater: RCPT: 450"
    assert not Undeliverable.objects.exists()


def test_a_server_that_closed_the_connection_gets_a_new_one_within_the_attempt(users, mail_server):
    """Seen failing (PENDING) without the second connection: the first had served a mail already."""
    first, second = handle(confirmed(users.add()))[0], handle(confirmed(users.add()))[0]
    services.deliver(notification_id=first.id)
    mail_server.replies_once["MAIL"] = "421 too many mails on this connection"

    services.deliver(notification_id=second.id)

    second.refresh_from_db()
    assert (second.status, second.failures, mail_server.connections) == ("SENT", 0, 2)


def _another(row: Notification) -> Notification:
    """Return another mail to the same person."""
    return handle(confirmed(row.person_id))[0]


def _status_with(contact, email: str, row: Notification) -> str:
    contact.email = email
    later = _another(row)
    services.deliver(notification_id=later.id)
    later.refresh_from_db()
    return later.status
