"""From an event to the mail and the SMS: their content, their recipient, and the failures on the way."""

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO

import pytest
from icalendar import Calendar
from pypdf import PdfReader

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2
from notifications_service.billing.models import Invoice
from notifications_service.notifications import services
from notifications_service.notifications.channels.faults import AddressMalformed
from notifications_service.notifications.channels.mail import Mailer
from notifications_service.notifications.channels.mime import Mail, build, message_id
from notifications_service.notifications.domain import Status
from notifications_service.notifications.models import Notification
from notifications_service.notifications.queues import Queue
from notifications_service.notifications.services import attempts, delivery
from notifications_service.tests.factories import confirmed, eur, handle, snapshot
from shared.rpc.mapping import ts
from shared.testing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def part(mail: EmailMessage, content_type: str) -> EmailMessage:
    """Return the only part of the mail that has this type."""
    parts = [part for part in mail.walk() if part.get_content_type() == content_type]
    assert len(parts) == 1, [part.get_content_type() for part in mail.walk()]
    return parts[0]


def test_a_confirmation_sends_mail_invoice_calendar_and_sms(users, mailbox, sms_folder):
    person = users.add()

    email, sms = handle(confirmed(person))
    outcomes = [services.deliver(notification_id=row.id) for row in (email, sms)]

    assert outcomes == [Status.SENT, Status.SENT]
    (mail,) = mailbox.mails
    assert mailbox.recipients == [["ann@example.org"]]
    assert mail["Subject"] == "Booking K7QX4MPR is confirmed"
    assert mail["Message-ID"] == message_id(str(email.id))
    text, html = part(mail, "text/plain").get_content(), part(mail, "text/html").get_content()
    for words in ("Hello Ann,", "K7QX4MPR", "Lisbon by tram and tile", "€1,752.30", "09:30", "INV-"):
        assert words in text
        assert words in html
    pdf = part(mail, "application/pdf")
    invoice = Invoice.objects.get()
    assert pdf.get_filename() == f"{invoice.number}.pdf"
    assert pdf.get_content().startswith(b"%PDF-")
    calendar = Calendar.from_ical(part(mail, "text/calendar").get_content())
    (event,) = calendar.walk("VEVENT")
    assert part(mail, "text/calendar").get_param("method") == calendar["METHOD"] == "REQUEST"
    assert event["UID"] == f"{invoice.booking_id}@travel.example"
    assert event.decoded("DTSTART") == datetime(2027, 4, 17, 8, 30, tzinfo=UTC)
    assert part(mail, "application/ics").get_filename() == "trip.ics"
    (file,) = sms_folder.iterdir()
    written = json.loads(file.read_text())
    assert file.name == f"{sms.id}.json"
    assert (file.stat().st_mode & 0o777, sms_folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (written["to"], written["notification_id"]) == ("+33612345678", str(sms.id))
    assert (
        written["text"]
        == "Booking K7QX4MPR is confirmed: Lisbon by tram and tile, Saturday 17 April 2027. Have a good trip!"
    )
    assert datetime.fromisoformat(written["sent_at"]).tzinfo is not None


def test_mail_and_sms_are_in_the_travellers_language(users, mailbox, sms_folder):
    person = users.add(locale=common_pb2.LOCALE_FR, first_name="Zoé")

    for row in handle(confirmed(person)):
        services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "La réservation K7QX4MPR est confirmée"
    assert mail["Content-Language"] == "fr"
    assert "Bonjour Zoé," in part(mail, "text/plain").get_content()
    assert "samedi 17 avril 2027, 09\u00a0h\u00a030" in part(mail, "text/html").get_content()
    assert "Réservation K7QX4MPR confirmée" in json.loads(next(sms_folder.iterdir()).read_text())["text"]


def test_declined_channels_are_suppressed(users, mailbox, sms_folder):
    person = users.add(notify_by_email=False, notify_by_sms=False)
    refund = bookings_pb2.RefundSnapshot(refund_id="0193b7c0-0000-7000-8000-000000000001", amount=eur(87615))
    rows = [
        *handle(bookings_pb2.RefundSucceeded(booking=snapshot(person), refund=refund)),
        *[row for row in handle(confirmed(person)) if row.channel == "SMS"],
    ]

    outcomes = [services.deliver(notification_id=row.id) for row in rows]

    assert outcomes == [Status.SUPPRESSED, Status.SUPPRESSED]
    assert mailbox.mails == []
    assert not sms_folder.exists()
    assert Invoice.objects.count() == 1


def test_the_mail_of_a_confirmation_cannot_be_declined(users, mailbox):
    """Seen failing (SUPPRESSED) while the kind could be declined."""
    row = handle(confirmed(users.add(notify_by_email=False)))[0]

    assert services.deliver(notification_id=row.id) is Status.SENT
    assert "Such mails are always sent." in part(mailbox.mails[0], "text/plain").get_content()


def test_an_unverified_phone_gets_no_sms(users, mailbox, sms_folder):
    """The number may be another person's.

    Seen failing (the SMS sent) without the rule in `suppression_reason`.
    """
    email, sms = handle(confirmed(users.add(phone_verified=False)))

    outcomes = [services.deliver(notification_id=row.id) for row in (email, sms)]

    assert outcomes == [Status.SENT, Status.SUPPRESSED]
    sms.refresh_from_db()
    assert sms.cause == "unverified phone number"
    assert not sms_folder.exists()


def test_a_cancellation_removes_the_trip_from_the_calendar_and_a_refund_sends_the_credit_note(users, mailbox):
    person = users.add()
    paid = snapshot(person)
    handle(bookings_pb2.BookingConfirmed(booking=paid))
    cancelled = snapshot(person, booking_id=paid.booking_id, reason="CANCELLED_BY_TRAVELLER", sequence=4)
    cancellation = handle(bookings_pb2.BookingCancelled(booking=cancelled, refund=eur(87615)))
    refund = bookings_pb2.RefundSnapshot(refund_id="0193b7c0-0000-7000-8000-000000000001", amount=eur(87615))
    refunded = handle(bookings_pb2.RefundSucceeded(booking=cancelled, refund=refund))

    for row in (cancellation[0], *refunded):
        assert services.deliver(notification_id=row.id) is Status.SENT

    cancellation_mail, refund_mail = mailbox.mails
    calendar = Calendar.from_ical(part(cancellation_mail, "text/calendar").get_content())
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 4)
    assert event["UID"] == f"{paid.booking_id}@travel.example"
    assert "€876.15 comes back" in part(cancellation_mail, "text/plain").get_content()
    note = Invoice.objects.get(kind="CREDIT_NOTE")
    assert note.credits == Invoice.objects.get(kind="INVOICE")
    assert (note.total_minor, note.number.split("-")[0]) == (87615, "CN")
    assert part(refund_mail, "application/pdf").get_filename() == f"{note.number}.pdf"
    assert note.number in part(refund_mail, "text/plain").get_content()


def test_the_mail_of_an_expired_hold_has_no_calendar(users, mailbox):
    event = bookings_pb2.BookingCancelled(booking=snapshot(users.add(), reason="HOLD_EXPIRED"), refund=eur(0))

    (row,) = handle(event)
    services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Booking K7QX4MPR: your seats were released"
    assert "text/calendar" not in [part.get_content_type() for part in mail.walk()]


@pytest.mark.parametrize("state", ["BOOKING_STATE_PENDING", "BOOKING_STATE_CANCELLED"])
def test_the_mail_of_a_failed_payment_says_until_when_seats_are_held(users, mailbox, state):
    booking = snapshot(
        users.add(),
        state=bookings_pb2.BookingState.Value(state),
        hold_expires_at=ts(datetime(2027, 11, 23, 12, tzinfo=UTC)),
    )
    payment = bookings_pb2.PaymentSnapshot(amount=eur(175230))

    (row,) = handle(bookings_pb2.PaymentFailed(booking=booking, payment=payment))
    services.deliver(notification_id=row.id)

    text = part(mailbox.mails[0], "text/plain").get_content()
    assert "payment of €1,752.30" in " ".join(text.split())
    held = "held until Tuesday 23 November 2027, 13:00 (Europe/Paris)"
    assert (held in " ".join(text.split())) is (state == "BOOKING_STATE_PENDING")


@pytest.mark.parametrize("code", ["invalid_method", "provider_unavailable"])
def test_a_payment_refused_in_the_answer_sends_no_mail(users, code):
    payment = bookings_pb2.PaymentSnapshot(amount=eur(175230), failure_code=code)

    assert list(handle(bookings_pb2.PaymentFailed(booking=snapshot(users.add()), payment=payment))) == []


def test_a_refund_without_an_invoice_has_no_credit_note(users, mailbox):
    booking = snapshot(users.add(), reason="HOLD_EXPIRED")
    refund = bookings_pb2.RefundSnapshot(refund_id="0193b7c0-0000-7000-8000-000000000002", amount=eur(175230))

    (row,) = handle(bookings_pb2.RefundSucceeded(booking=booking, refund=refund))

    assert services.deliver(notification_id=row.id) is Status.SENT
    assert Invoice.objects.count() == 0
    assert "€1,752.30" in part(mailbox.mails[0], "text/plain").get_content()


NASTY = '{{ 7*7 }}{% include "x" %}<script>alert(1)</script>'


def test_a_name_never_becomes_template_or_markup(users, mailbox):
    """The mail shows exactly the characters of NASTY. Seen failing (the script intact) with autoescape off in the HTML."""
    row = handle(confirmed(users.add(first_name=NASTY)))[0]

    services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    html = part(mail, "text/html").get_content()
    assert f"Hello {NASTY}," in part(mail, "text/plain").get_content()
    assert "<script" not in html
    assert "{{ 7*7 }}{% include &quot;x&quot; %}&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_name_or_address_cannot_add_a_header(users, mailbox):
    """A name with a line break stays in the body; no mail is sent to an address with a line break."""
    with_name = handle(confirmed(users.add(first_name="Ann\r\nBcc: victim@example.org")))
    with_address = handle(confirmed(users.add(email="ann@example.org\r\nBcc: victim@example.org")))

    assert services.deliver(notification_id=with_name[0].id) is Status.SENT
    assert services.deliver(notification_id=with_address[0].id) is Status.FAILED
    (mail,) = mailbox.mails
    assert mailbox.recipients == [["ann@example.org"]]
    assert set(mail.keys()) == {
        "Message-ID", "Date", "From", "To", "Subject", "Content-Language", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip


def test_a_name_never_becomes_typst_markup(users, mailbox):
    """The invoice is made, and shows the name.

    Seen failing (typst raises) with the name evaluated as markup.
    """
    row = handle(confirmed(users.add(first_name='#read("/etc/passwd") ]', last_name="*_$`")))[0]

    assert services.deliver(notification_id=row.id) is Status.SENT
    assert '#read("/etc/passwd") ] *_$`' in pdf_text(part(mailbox.mails[0], "application/pdf").get_content())


def pdf_text(content: bytes) -> str:
    """Return the text of a PDF's first page."""
    return PdfReader(BytesIO(content)).pages[0].extract_text()


def test_a_mail_is_postponed_while_users_service_is_unavailable(users, mailbox):
    row = handle(confirmed(users.add()))[0]
    users.unavailable = True

    assert services.deliver(notification_id=row.id) is Status.PENDING
    users.unavailable = False
    Notification.objects.update(next_attempt_at=datetime.now(UTC))

    assert services.deliver(notification_id=row.id) is Status.SENT
    row.refresh_from_db()
    assert (row.attempts, row.status, row.cause) == (2, "SENT", "")
    assert [attempt.outcome for attempt in row.deliveries.order_by("number")] == ["POSTPONED", "SENT"]


@pytest.mark.parametrize(
    ("answer", "status"), [("451 later", Status.PENDING), ("554 never", Status.FAILED), ("552 too big", Status.FAILED)]
)
def test_the_mail_servers_answer_decides_whether_to_try_again(users, mailbox, answer, status):
    row = handle(confirmed(users.add()))[0]
    mailbox.answers.append(answer)

    assert services.deliver(notification_id=row.id) is status
    assert mailbox.mails == []


def test_an_unknown_mailbox_does_not_break_the_connection_for_the_next_mail(users, mailbox):
    bad = handle(confirmed(users.add(email="nobody@example.org")))[0]
    good = handle(confirmed(users.add()))[0]

    assert services.deliver(notification_id=bad.id) is Status.FAILED
    assert services.deliver(notification_id=good.id) is Status.SENT


def test_a_worker_killed_after_the_servers_250_sends_the_same_mail_again(users, mailbox, monkeypatch):
    """The second mail has the same Message-ID.

    Seen failing (never sent again) with SENDING rows excluded from the claim.
    """
    row = handle(confirmed(users.add()))[0]
    with monkeypatch.context() as killed:
        killed.setattr(attempts, "record_sent", _killed)
        with pytest.raises(KeyboardInterrupt):
            services.deliver(notification_id=row.id)
    row.refresh_from_db()
    assert (row.status, len(mailbox.mails)) == ("SENDING", 1)

    assert services.deliver(notification_id=row.id) is None  # its lease has not ended: another worker may be sending it
    Notification.objects.update(leased_until=datetime.now(UTC) - timedelta(seconds=1))
    assert row.id in services.overdue(Queue.DOCUMENTS)
    assert services.deliver(notification_id=row.id) is Status.SENT

    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert part(first, "application/pdf").get_content() == part(second, "application/pdf").get_content()
    assert part(first, "text/html").get_content() == part(second, "text/html").get_content()


def test_an_sms_is_never_sent_twice(users, sms_folder, monkeypatch):
    """The worker is killed after it called the provider. Nobody knows whether the SMS was sent, so it is FAILED."""
    sms = handle(confirmed(users.add()))[1]
    with monkeypatch.context() as killed:
        killed.setattr(attempts, "record_sent", _killed)
        with pytest.raises(KeyboardInterrupt):
            services.deliver(notification_id=sms.id)
    (file,) = sms_folder.iterdir()
    file.unlink()
    Notification.objects.update(leased_until=datetime.now(UTC) - timedelta(seconds=1))

    assert services.deliver(notification_id=sms.id) is None
    sms.refresh_from_db()
    assert sms.status == "FAILED"
    assert list(sms_folder.iterdir()) == []


def _killed(*args, **kwargs):
    raise KeyboardInterrupt


def test_two_workers_send_one_mail(users, mailbox):
    """Eight threads get the same task at once.

    Seen failing (several mails) without the claim's lock and status filter.
    """
    row = handle(confirmed(users.add()))[0]

    outcomes = race([lambda: services.deliver(notification_id=row.id)] * 8)

    assert sorted(map(str, outcomes)) == sorted(["SENT", *["None"] * 7])
    assert len(mailbox.mails) == 1


def test_a_stale_connection_is_replaced(users, mailbox):
    first, second = handle(confirmed(users.add()))[0], handle(confirmed(users.add()))[0]
    services.deliver(notification_id=first.id)
    delivery._mailer._local.server.sock.shutdown(2)
    delivery._mailer._local.used -= 60

    assert services.deliver(notification_id=second.id) is Status.SENT
    assert len(mailbox.mails) == 2


def test_staff_can_send_a_failed_notification_again(users, mailbox):
    row = handle(confirmed(users.add()))[0]
    mailbox.answers.append("554 never")
    services.deliver(notification_id=row.id)

    services.send_again(notification_id=row.id)

    assert services.deliver(notification_id=row.id) is Status.SENT


def test_a_malformed_mail_is_refused_before_anything_is_sent():
    mail = Mail(
        key="1", to="a@example.org\nBcc: b@example.org", subject="x", text="", html="", language="en",
        date=datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(ValueError):
        build(mail)
    with pytest.raises(AddressMalformed):
        Mailer().send(mail)
