"""The content of each mail and SMS, in the reader's language. `rendering.py` turns a mail's content into HTML and text.

Pure: takes a claimed notification, the contact and a link or code, and returns words. No word comes from a template.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from notifications_service.billing.formatting import amount, day, moment, punctuated
from notifications_service.notifications.contracts import BookingFacts, ClaimedNotification, MoveFacts, OfferFacts
from notifications_service.notifications.domain import POLICIES, Kind, Policy
from notifications_service.notifications.wording import LABELS, SMS, SUBJECTS, WORDING, Words
from notifications_service.upstream import Contact, Link, PhoneCode
from shared.text import Locale, Text

_TONES: Final = {
    Kind.BOOKING_CONFIRMED: "good",
    Kind.REFUND: "good",
    Kind.VERIFY_EMAIL: "plain",
    Kind.ALREADY_REGISTERED: "plain",
    Kind.RESET_PASSWORD: "plain",
    Kind.CONFIRM_EMAIL_CHANGE: "plain",
    Kind.EMAIL_CHANGED: "alert",
    Kind.EMAIL_CHANGE_REQUESTED: "alert",
    Kind.PASSWORD_CHANGED: "alert",
    Kind.PHONE_CHANGED: "alert",
    Kind.NEW_DEVICE: "alert",
    Kind.REUSE_DETECTED: "alert",
    Kind.SESSIONS_ENDED: "alert",
    Kind.BOOKING_CHANGED: "plain",
    Kind.BOOKING_CANCELLED: "sober",
    Kind.DEPARTURE_CANCELLED: "alert",
    Kind.DEPARTURE_MOVED: "alert",
    Kind.PASSENGER_RENAMED: "plain",
    Kind.WAITLIST_OFFERED: "good",
    Kind.WAITLIST_EXPIRED: "sober",
    Kind.WAITLIST_CLOSED: "sober",
    Kind.HOLD_EXPIRED: "sober",
    Kind.PAYMENT_FAILED: "alert",
}
# Where mail clients see a link in plain text: `www.evil.com`, `http://evil`. Browsers read the other dots as a dot.
_LINK_JOINT: Final = re.compile(r"(?<=[.。．｡])(?=\w)|(?<=:)(?=//)")


@dataclass(frozen=True, slots=True)
class MailContent:
    """The parts of a mail before it is rendered. Every part is plain text; only the templates have markup."""

    locale: Locale
    subject: str
    preheader: str
    tone: str
    heading: str
    greeting: str
    paragraphs: tuple[str, ...]
    reference: str = ""
    title: str = ""
    footer: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    total: tuple[str, str] | None = None
    button: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


def subject_of(kind: Kind, reference: str, locale: Locale) -> str:
    """Return the subject of a mail of `kind`. It does not depend on the contact."""
    return SUBJECTS[kind].format(locale, {"reference": reference})


def mail_content(
    *, notification: ClaimedNotification, contact: Contact, link: Link | None = None, invoice_number: str = ""
) -> MailContent:
    """Return the content of the notification's mail in the language of `contact`."""
    locale = contact.locale
    params = _params(notification, contact, link=link, invoice_number=invoice_number)
    words: Words = WORDING[notification.kind]
    booking = notification.booking
    paragraphs = [_fill(text, locale, params) for text in words.body]
    if words.with_refund and notification.amount:
        paragraphs.append(_fill(words.with_refund, locale, params))
    elif otherwise := words.without_refund if notification.had_invite else words.unpaid:
        paragraphs.append(_fill(otherwise, locale, params))
    if words.if_held and booking and booking.held_until:
        paragraphs.append(_fill(words.if_held, locale, params))
    if notification.move and (said := words.if_free if notification.move.free_until else words.if_not_free):
        paragraphs.append(_fill(said, locale, params))
    if words.with_link and link:
        paragraphs.append(_fill(words.with_link, locale, params))
    if words.with_document and invoice_number:
        paragraphs.append(_fill(words.with_document, locale, params))
    return MailContent(
        locale=locale,
        subject=subject_of(notification.kind, params["reference"], locale),
        preheader=_fill(words.preheader, locale, params),
        tone=_TONES[notification.kind],
        heading=_fill(words.heading, locale, params),
        greeting=_fill(LABELS["greeting"], locale, params),
        paragraphs=tuple(paragraphs),
        reference=params["reference"],
        title=params["title"],
        facts=_facts(notification, contact),
        lines=_price_lines(booking, locale) if booking and notification.kind is Kind.BOOKING_CONFIRMED else (),
        total=_total(notification, locale),
        button=(words.button.in_(locale), link.url) if words.button and link and link.url else None,
        notes=tuple(_fill(text, locale, params) for text in words.notes),
        labels={name: punctuated(text.in_(locale), locale) for name, text in LABELS.items() if name != "greeting"},
        footer=_fill(LABELS[_footer(POLICIES[notification.kind])], locale, params),
    )


def _footer(policy: Policy) -> str:
    if policy.protects_account:
        return "account_footer"
    return "footer" if policy.declinable else "undeclinable_footer"


def sms_text(*, notification: ClaimedNotification, contact: Contact, code: PhoneCode | None = None) -> str:
    """Return the notification's SMS in the language of `contact`. It is short and has no link."""
    params = _params(notification, contact) | {"code": code.code if code else ""}
    return SMS[notification.kind].format(contact.locale, params)


def plain_name(name: str) -> str:
    """Return the name with a space wherever a mail client would see a link in it: `www.evil.com` → `www. evil. com`.

    Somebody who registers an address of another person chooses the name in the mail to that person.
    """
    return _LINK_JOINT.sub(" ", name)


def _fill(text: Text, locale: Locale, params: Mapping[str, str]) -> str:
    """Return the text with the values in its braces. The punctuation of the values stays as it is."""
    return punctuated(text.in_(locale), locale).format_map(params)


def _params(
    notification: ClaimedNotification, contact: Contact, *, link: Link | None = None, invoice_number: str = ""
) -> dict[str, str]:
    """Return the values of the braces in `wording.py`."""
    locale, booking = contact.locale, notification.booking
    params = {
        "name": plain_name(contact.first_name),
        "full_name": plain_name(f"{contact.first_name} {contact.last_name}".strip()),
        "when": _in_readers_zone(notification.requested_at, contact),
        "reference": booking.reference if booking else "",
        "number": invoice_number,
        "amount": amount(notification.amount, locale) if notification.amount else "",
        "expires": _in_readers_zone(link.expires_at, contact) if link and link.expires_at else "",
        "held_until": _in_readers_zone(booking.held_until, contact) if booking and booking.held_until else "",
        "title": "",
        "start": "",
    }
    if booking:
        params |= {
            "title": booking.trip.title.in_(locale),
            "start": day(booking.trip.starts_at, booking.trip.time_zone, locale),
            "start_moment": moment(booking.trip.starts_at, booking.trip.time_zone, locale),
        }
    if notification.move and notification.move.free_until:
        params["free_until"] = _in_readers_zone(notification.move.free_until, contact)
    if offer := notification.offer:
        params |= {
            "title": offer.title.in_(locale),
            "start": day(offer.starts_at, offer.time_zone, locale),
            "seats": str(offer.seats),
            "offered_until": _in_readers_zone(offer.offered_until, contact) if offer.offered_until else "",
        }
    return params


def _in_readers_zone(instant: datetime, contact: Contact) -> str:
    return f"{moment(instant, contact.time_zone, contact.locale)} ({contact.time_zone})"


def _facts(notification: ClaimedNotification, contact: Contact) -> tuple[tuple[str, str], ...]:
    if notification.booking:
        facts = _facts_of_booking(notification.booking, contact.locale)
        return facts + _facts_of_move(notification.move, notification.booking, contact) if notification.move else facts
    return _facts_of_offer(notification.offer, contact) if notification.offer else ()


def _facts_of_booking(booking: BookingFacts, locale: Locale) -> tuple[tuple[str, str], ...]:
    trip = booking.trip
    local_time = LABELS["local_time"].in_(locale)
    return (
        (LABELS["reference"].in_(locale), booking.reference),
        (LABELS["starts"].in_(locale), f"{moment(trip.starts_at, trip.time_zone, locale)} ({local_time})"),
        (LABELS["ends"].in_(locale), f"{moment(trip.ends_at, trip.time_zone, locale)} ({local_time})"),
        (LABELS["travellers"].in_(locale), str(booking.seats)),
    )


def _facts_of_move(move: MoveFacts, booking: BookingFacts, contact: Contact) -> tuple[tuple[str, str], ...]:
    locale, zone = contact.locale, booking.trip.time_zone
    facts = [
        (LABELS["started_before"].in_(locale), moment(move.previous_starts_at, zone, locale)),
        (LABELS["ended_before"].in_(locale), moment(move.previous_ends_at, zone, locale)),
        (LABELS["reason"].in_(locale), move.reason),
    ]
    if move.free_until:
        facts.append((LABELS["free_until"].in_(locale), _in_readers_zone(move.free_until, contact)))
    return tuple(facts)


def _facts_of_offer(offer: OfferFacts, contact: Contact) -> tuple[tuple[str, str], ...]:
    locale = contact.locale
    starts = f"{moment(offer.starts_at, offer.time_zone, locale)} ({LABELS['local_time'].in_(locale)})"
    facts = [(LABELS["starts"].in_(locale), starts), (LABELS["seats"].in_(locale), str(offer.seats))]
    if offer.offered_until:
        facts.append((LABELS["held_until"].in_(locale), _in_readers_zone(offer.offered_until, contact)))
    return tuple(facts)


def _price_lines(booking: BookingFacts, locale: Locale) -> tuple[tuple[str, str], ...]:
    return tuple((f"{line.quantity} × {line.label.in_(locale)}", amount(line.total, locale)) for line in booking.lines)


def _total(notification: ClaimedNotification, locale: Locale) -> tuple[str, str] | None:
    if notification.kind is Kind.REFUND and notification.amount:
        return LABELS["refunded"].in_(locale), amount(notification.amount, locale)
    if notification.kind is Kind.BOOKING_CONFIRMED and notification.booking:
        return LABELS["paid"].in_(locale), amount(notification.booking.total, locale)
    return None
