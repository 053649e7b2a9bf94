"""Fencing: an attempt whose lease ended changes nothing that its successor did, and a slow server is waited for."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from contracts.travel.events.v1 import bookings_pb2
from notifications_service.notifications import services
from notifications_service.notifications.domain import Status
from notifications_service.notifications.models import Notification, PausedChannel, Undeliverable
from notifications_service.notifications.services import attempts, delivery
from notifications_service.tests.factories import confirmed, eur, handle, snapshot
from shared.outbox.models import OutboxEvent
from shared.rpc.mapping import ts
from shared.testing import eventually, race
from shared.text import Locale

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LATE_WRITES = {
    "sent": lambda claimed: attempts.record_sent(claimed, Locale.EN),
    "suppressed": lambda claimed: attempts.record_suppressed(claimed, "declined"),
    "failed": lambda claimed: attempts.record_failed(claimed, "550", bad_address="ann@example.org"),
    "failure": lambda claimed: attempts.record_failure(claimed, "451"),
    "upstream": lambda claimed: attempts.record_waiting_for_upstream(claimed, "UNAVAILABLE"),
    "channel": lambda claimed: attempts.record_channel_unusable(claimed, "535"),
}


def end_lease(row: Notification) -> None:
    Notification.objects.filter(id=row.id).update(leased_until=datetime.now(UTC) - timedelta(seconds=1))


def state(row: Notification) -> tuple:
    """Return everything that an attempt can change."""
    return (
        Notification.objects.values_list().get(id=row.id),
        list(row.deliveries.order_by("number").values_list()),
        list(OutboxEvent.objects.values_list("id", flat=True)),
        PausedChannel.objects.exists(),
        Undeliverable.objects.exists(),
    )


@pytest.mark.parametrize("late", LATE_WRITES)
@pytest.mark.parametrize("successor", ["sending", "sent"])
def test_a_late_write_changes_nothing(users, mailbox, late, successor):
    """The first worker wakes up while its successor sends, or after it has sent.

    Seen failing (the successor's state changed, or a second event) without the number of the attempt in `_current`
    and in `first_attempts`.
    """
    row = handle(confirmed(users.add()))[0]
    first = attempts.claim(row.id)
    end_lease(row)
    if successor == "sending":
        assert attempts.claim(row.id).attempts == 2
    else:
        assert services.deliver(notification_id=row.id) is Status.SENT
    before = state(row)

    assert LATE_WRITES[late](first) is None

    assert state(row) == before
    with pytest.raises(attempts.Outdated):
        attempts.renew(first)
    with pytest.raises(attempts.Outdated):
        attempts.hand_over(first)
    assert state(row) == before


def test_an_attempt_that_was_lost_is_recorded(users, mailbox):
    row = handle(confirmed(users.add()))[0]
    attempts.claim(row.id)
    end_lease(row)

    services.deliver(notification_id=row.id)

    assert list(row.deliveries.order_by("number").values_list("outcome", flat=True)) == ["LOST", "SENT"]


def test_no_provider_is_called_after_the_lease_even_without_a_successor(users, sms_folder):
    """Seen failing (an SMS sent) without the lease in `_lock_in_time`."""
    row = handle(confirmed(users.add()))[1]
    claimed = attempts.claim(row.id)
    end_lease(row)

    with pytest.raises(attempts.Outdated):
        attempts.hand_over(claimed)


def test_a_slow_server_gets_its_mail_once(users, mail_server, settings):
    """Its replies take longer together than a lease, and another worker tries to claim the mail all the while.

    Seen failing (the mail sent twice) without the renewal of the lease.
    """
    settings.NOTIFICATIONS_LEASE_SECONDS = 2
    mail_server.seconds_per_reply = 0.6
    row = handle(confirmed(users.add()))[0]
    done = []

    def first() -> Status | None:
        outcome = services.deliver(notification_id=row.id)
        done.append(outcome)
        return outcome

    def others() -> int:
        outcomes = []

        def try_until_done() -> bool:
            outcomes.append(services.deliver(notification_id=row.id))
            return bool(done)

        eventually(lambda: Notification.objects.filter(status="SENDING").exists())
        eventually(try_until_done, timeout=60, every=0.02)
        return sum(outcome is not None for outcome in outcomes)

    delivery._mailer.close()
    outcomes = race([first, others])

    assert outcomes == [Status.SENT, 0]
    assert len(mail_server.mails) == 1
    assert set(row.deliveries.values_list("outcome", flat=True)) == {"SENT"}


@pytest.mark.parametrize("reply", ["banner", "content"])
def test_a_server_that_sends_byte_after_byte_is_given_up_within_half_a_lease(users, mail_server, settings, reply):
    """Seen failing (the reply awaited to its end) while only each read of the socket had a limit."""
    settings.NOTIFICATIONS_LEASE_SECONDS = 2
    row = handle(confirmed(users.add()))[0]
    mail_server.replies[reply] = "250 " + "x" * 100
    mail_server.slow_stage = reply
    begun = time.monotonic()

    assert services.deliver(notification_id=row.id) is Status.PENDING

    assert time.monotonic() - begun < 4
    row.refresh_from_db()
    assert row.cause == f"TryLater: {reply}: no answer in time"


def late_mail(users, seconds: float) -> Notification:
    """Return the mail of a failed payment whose seats are held for so many seconds."""
    booking = snapshot(
        users.add(),
        state=bookings_pb2.BOOKING_STATE_PENDING,
        hold_expires_at=ts(datetime.now(UTC) + timedelta(seconds=seconds)),
    )
    return handle(bookings_pb2.PaymentFailed(booking=booking, payment=bookings_pb2.PaymentSnapshot(amount=eur(1))))[0]


def test_what_tells_of_a_hold_is_not_sent_after_it(users, mailbox):
    """Seen failing (an attempt made, and users_service asked) without the look at not_after in the claim."""
    row = late_mail(users, -1)

    assert services.deliver(notification_id=row.id) is None

    row.refresh_from_db()
    assert (row.status, row.attempts, mailbox.mails) == ("SUPPRESSED", 0, [])
    assert row.cause.startswith("too late: what it tells of was held only until 20")


def test_the_time_is_looked_at_again_right_before_sending(users, mailbox, monkeypatch):
    """Writing the mail takes until after the hold. Seen failing (the mail sent) without `renew` before the mailer."""
    row = late_mail(users, 60)
    write_mail = delivery.write_mail

    def slowly(*args):
        Notification.objects.filter(id=row.id).update(not_after=datetime.now(UTC) - timedelta(seconds=1))
        return write_mail(*args)

    monkeypatch.setattr(delivery, "write_mail", slowly)

    assert services.deliver(notification_id=row.id) is Status.SUPPRESSED
    assert mailbox.mails == []


def test_an_sms_is_not_handed_over_after_its_time(users, sms_folder):
    """Seen failing (handed over) without not_after in `_lock_in_time`."""
    row = handle(confirmed(users.add()))[1]
    claimed = attempts.claim(row.id)
    Notification.objects.filter(id=row.id).update(not_after=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(attempts.Suppressed):
        attempts.hand_over(claimed)


def test_a_mail_sent_again_by_staff_is_the_same_mail(users, mailbox):
    """Seen failing (another Date) while sending again changed the time at which the notification was made."""
    row = handle(confirmed(users.add()))[0]
    Notification.objects.filter(id=row.id).update(failures=34, status="FAILED")

    services.send_again(notification_id=row.id)
    services.deliver(notification_id=row.id)

    made = row.created_at
    row.refresh_from_db()
    assert (row.status, row.failures, row.created_at) == ("SENT", 0, made)
    assert datetime.strptime(mailbox.mails[0]["Date"], "%a, %d %b %Y %H:%M:%S %z") == made.replace(microsecond=0)
