"""The calendar file of a booking (RFC 5545, iTIP). REQUEST puts the trip into the reader's calendar, CANCEL removes it.

Both have the same UID, made of the booking's id. The booking's sequence number orders them.
"""

from datetime import datetime
from typing import Final, Literal

from icalendar import Calendar, Event, vCalAddress, vText

from notifications_service.notifications.contracts import BookingFacts
from notifications_service.upstream import Contact
from shared.text import Locale, Text

_DESCRIPTION: Final = Text(en="Booking reference: {reference}", fr="Référence de la réservation : {reference}")
_DOMAIN: Final = "travel.example"

Method = Literal["REQUEST", "CANCEL"]


def calendar_file(*, booking: BookingFacts, contact: Contact, organizer: str, method: Method, now: datetime) -> bytes:
    """Return the .ics of `booking` for `contact`, sent from the address `organizer`. Instants are in UTC."""
    locale = contact.locale
    event = Event()
    event.add("uid", f"{booking.booking_id}@{_DOMAIN}")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", booking.trip.starts_at)
    event.add("dtend", booking.trip.ends_at)
    event.add("summary", _summary(booking, locale))
    event.add("description", _DESCRIPTION.format(locale, {"reference": booking.reference}))
    event.add("status", "CONFIRMED" if method == "REQUEST" else "CANCELLED")
    event.add("transp", "OPAQUE" if method == "REQUEST" else "TRANSPARENT")
    event["organizer"] = vCalAddress(f"mailto:{organizer}")
    attendee = vCalAddress(f"mailto:{contact.email}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)

    calendar = Calendar()
    calendar.add("prodid", "-//Travel//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _summary(booking: BookingFacts, locale: Locale) -> str:
    return f"{booking.trip.title.in_(locale)} ({booking.reference})"
