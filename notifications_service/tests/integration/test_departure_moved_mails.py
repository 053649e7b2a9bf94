"""The mail and the SMS about a departure that was moved: old and new dates, the reason, and what the reader can do."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2 as pb
from notifications_service.notifications import services
from notifications_service.tests.factories import STARTS_AT, confirmed, handle, snapshot
from notifications_service.tests.integration.test_delivery import part
from notifications_service.tests.integration.test_waitlist_mails import words
from shared.cloudevents import BadEvent
from shared.rpc.mapping import ts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

CHANGED_AT = datetime(2027, 3, 1, 9, tzinfo=UTC)
FREE_UNTIL = CHANGED_AT + timedelta(days=14)


def moved(booking: pb.BookingSnapshot, *, free_until: datetime = FREE_UNTIL, **fields) -> pb.BookingDepartureChanged:
    """Return the event of a move by a week, to the dates of `booking`."""
    earlier = STARTS_AT - timedelta(days=7)
    return pb.BookingDepartureChanged(
        **{
            "booking": booking,
            "entry": pb.HistoryEntry(sequence=4, type="booking.departure_changed", at=ts(CHANGED_AT)),
            "previous_starts_at": ts(earlier),
            "previous_ends_at": ts(earlier + timedelta(days=4)),
            "change_reason": "The ferry does not run that week.",
            "free_cancellation_until": ts(free_until),
            **fields,
        }
    )


def test_the_mail_has_both_dates_the_reason_and_the_time_until_which_cancelling_is_free(users, mailbox, sms_folder):
    email, sms = handle(moved(snapshot(users.add())))
    for row in (email, sms):
        services.deliver(notification_id=row.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Booking K7QX4MPR: your trip has new dates"
    free = "cancel the booking until Monday 15 March 2027, 10:00 (Europe/Paris): all you paid comes back"
    new, old = "Saturday 17 April 2027, 09:30 (local time)", "Saturday 10 April 2027, 09:30"
    for text in (free, new, old, "The ferry does not run that week."):
        assert text in words(mail)
    assert "The ferry does not run that week." in part(mail, "text/html").get_content()
    (file,) = sms_folder.iterdir()
    assert "it starts Saturday 17 April 2027, 09:30. Booking K7QX4MPR" in file.read_text()


def test_the_mail_of_a_small_move_promises_no_free_cancellation(users, mailbox):
    email, _ = handle(moved(snapshot(users.add()), free_until=CHANGED_AT))
    services.deliver(notification_id=email.id)

    (mail,) = mailbox.mails
    assert "The change is small" in words(mail)
    assert "all you paid" not in words(mail)


def test_a_french_reader_gets_french(users, mailbox):
    email, _ = handle(moved(snapshot(users.add(locale=common_pb2.LOCALE_FR))))
    services.deliver(notification_id=email.id)

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Réservation K7QX4MPR : votre voyage change de dates"
    assert "annulez la réservation jusqu’au lundi 15 mars 2027" in words(mail)


def test_a_confirmed_trip_moves_in_the_calendar(users, mailbox):
    person = users.add()
    first, *_ = handle(confirmed(person))
    booking = snapshot(
        person, booking_id=str(first.booking_id), sequence=4, starts_at=ts(STARTS_AT + timedelta(days=7))
    )
    email, _ = handle(moved(booking, previous_starts_at=ts(STARTS_AT)))
    services.deliver(notification_id=email.id)

    (mail,) = mailbox.mails
    calendar = Calendar.from_ical(part(mail, "text/calendar").get_payload(decode=True))
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert event["SEQUENCE"] == 4
    assert event.decoded("dtstart") == STARTS_AT + timedelta(days=7)


def test_an_unpaid_booking_gets_no_calendar(users, mailbox):
    email, _ = handle(moved(snapshot(users.add(), state=pb.BOOKING_STATE_PENDING)))
    services.deliver(notification_id=email.id)

    (mail,) = mailbox.mails
    assert "text/calendar" not in {piece.get_content_type() for piece in mail.walk()}


def test_a_reason_with_markup_is_shown_as_text(users, mailbox):
    email, _ = handle(moved(snapshot(users.add()), change_reason="<b>storm</b> {{ 7*7 }} {name}"))
    services.deliver(notification_id=email.id)

    (mail,) = mailbox.mails
    assert "<b>storm</b> {{ 7*7 }} {name}" in words(mail)
    assert "&lt;b&gt;storm&lt;/b&gt;" in part(mail, "text/html").get_content()


def test_a_move_without_its_previous_dates_is_refused(users):
    event = moved(snapshot(users.add()))
    event.ClearField("previous_starts_at")

    with pytest.raises(BadEvent):
        handle(event)
