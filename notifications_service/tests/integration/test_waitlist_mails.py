"""The mails about the waiting list, a cancelled departure and a corrected name."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2 as pb
from notifications_service.notifications import services
from notifications_service.tests.factories import STARTS_AT, eur, handle, snapshot
from notifications_service.tests.integration.test_delivery import part
from shared.ids import uuid7
from shared.rpc.mapping import ts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def entry(person_id: UUID) -> pb.WaitlistSnapshot:
    return pb.WaitlistSnapshot(
        entry_id=str(uuid7()), traveller_id=str(person_id), departure_id=str(uuid7()), seats=2, time_zone="Europe/Lisbon",
        title=common_pb2.LocalizedText(en="Lisbon by tram and tile", fr="Lisbonne, trams et azulejos"), sequence=2,
        starts_at=ts(STARTS_AT),
    )  # fmt: skip


def words(mail) -> str:
    return " ".join(part(mail, "text/plain").get_content().split())


def test_an_offer_says_until_when_seats_are_held(users, mailbox, sms_folder):
    until = ts(datetime(2027, 11, 23, 12, tzinfo=UTC))

    email, sms = handle(pb.WaitlistOffered(entry=entry(users.add()), offered_until=until))
    for row in (email, sms):
        services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Seats have come free for you"
    held = "we hold 2 seats for you until Tuesday 23 November 2027, 13:00 (Europe/Paris)"
    for text in (held, "Lisbon by tram and tile", "09:30"):
        assert text in words(mail)
    assert "Lisbon by tram and tile" in part(mail, "text/html").get_content()
    (file,) = sms_folder.iterdir()
    assert "2 seats are held for you until Tuesday 23 November 2027, 13:00" in file.read_text()


@pytest.mark.parametrize(
    ("reason", "subject", "text"),
    [
        (pb.WAITLIST_EXPIRY_REASON_UNANSWERED, "Your offered seats went on", "not booked in time"),
        (pb.WAITLIST_EXPIRY_REASON_DEPARTURE_CLOSED, "The waiting list is closed", "Booking has ended"),
    ],
)
def test_the_mail_that_ends_the_waiting_says_why(users, mailbox, reason, subject, text):
    (row,) = handle(pb.WaitlistExpired(entry=entry(users.add()), reason=reason))
    services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == subject
    assert text in words(mail)


def test_the_waiting_list_mails_are_in_the_readers_language(users, mailbox):
    person = users.add(locale=common_pb2.LOCALE_FR)

    (row,) = handle(pb.WaitlistExpired(entry=entry(person), reason=pb.WAITLIST_EXPIRY_REASON_UNANSWERED))
    services.deliver(notification_id=row.id)

    assert "Nous vous gardions 2 places" in words(mailbox.mails[0])


def test_a_cancelled_departure_is_not_called_the_travellers_cancellation(users, mailbox, sms_folder):
    booking = snapshot(users.add(), reason="DEPARTURE_CANCELLED")

    email, sms = handle(pb.BookingCancelled(booking=booking, refund=eur(175230)))
    for row in (email, sms):
        services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Booking K7QX4MPR: your trip will not take place"
    assert "All you paid, €1,752.30, comes back" in words(mail)
    assert len(list(sms_folder.iterdir())) == 1


def test_the_mail_of_a_corrected_name_does_not_have_the_name(users, mailbox):
    event = pb.BookingPassengerRenamed(booking=snapshot(users.add()), passenger_id=str(uuid7()))

    (row,) = handle(event)
    services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Booking K7QX4MPR: a name was corrected"
    assert "K7QX4MPR" in words(mail)
