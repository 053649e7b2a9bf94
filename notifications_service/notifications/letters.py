"""What each mail and SMS says, in both languages: one letter of parts, which the templates set as HTML and as text.

Pure: a claimed job, the person's contact and a link go in, words come out. No word comes from a template.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from notifications_service.billing.formatting import amount, day, moment
from notifications_service.notifications.contracts import BookingFacts, Job, OfferFacts
from notifications_service.notifications.domain import Kind
from notifications_service.notifications.wording import LABELS, SMS, SUBJECTS, WORDING, Words
from notifications_service.people import Contact
from shared.text import Locale

_TONES: Final = {
    Kind.BOOKING_CONFIRMED: "good",
    Kind.REFUND: "good",
    Kind.VERIFY_EMAIL: "plain",
    Kind.ALREADY_REGISTERED: "plain",
    Kind.BOOKING_CHANGED: "plain",
    Kind.BOOKING_CANCELLED: "sober",
    Kind.DEPARTURE_CANCELLED: "alert",
    Kind.PASSENGER_RENAMED: "plain",
    Kind.WAITLIST_OFFERED: "good",
    Kind.WAITLIST_EXPIRED: "sober",
    Kind.WAITLIST_CLOSED: "sober",
    Kind.HOLD_EXPIRED: "sober",
    Kind.PAYMENT_FAILED: "alert",
    Kind.SESSION_REVOKED: "alert",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is set. Everything is plain text; only the templates know markup."""

    locale: Locale
    subject: str
    preheader: str
    tone: str
    heading: str
    greeting: str
    paragraphs: tuple[str, ...]
    reference: str = ""
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    total: tuple[str, str] | None = None
    button: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


def subject_of(kind: Kind, reference: str, locale: Locale) -> str:
    """Return the subject of a mail of `kind`, known without asking who reads it."""
    return SUBJECTS[kind].format(locale, {"reference": reference})


def letter_for(*, job: Job, contact: Contact, link: str = "", invoice_number: str = "") -> Letter:
    """Return the mail of `job` in the language of `contact`."""
    locale = contact.locale
    params = _params(job, contact, invoice_number)
    words: Words = WORDING[job.kind]
    booking = job.booking
    paragraphs = [text.format(locale, params) for text in words.body]
    if words.with_refund and job.amount:
        paragraphs.append(words.with_refund.format(locale, params))
    elif otherwise := words.without_refund if job.had_invite else words.unpaid:
        paragraphs.append(otherwise.format(locale, params))
    if words.if_held and booking and booking.held_until:
        paragraphs.append(words.if_held.format(locale, params))
    if words.with_document and invoice_number:
        paragraphs.append(words.with_document.format(locale, params))
    return Letter(
        locale=locale,
        subject=subject_of(job.kind, params["reference"], locale),
        preheader=words.preheader.format(locale, params),
        tone=_TONES[job.kind],
        heading=words.heading.format(locale, params),
        greeting=LABELS["greeting"].format(locale, params),
        paragraphs=tuple(paragraphs),
        reference=params["reference"],
        title=params["title"],
        facts=_facts(booking, locale) if booking else _facts_of_offer(job.offer, contact) if job.offer else (),
        lines=_lines(booking, locale) if booking and job.kind is Kind.BOOKING_CONFIRMED else (),
        total=_total(job, locale),
        button=(words.button.in_(locale), link) if words.button and link else None,
        notes=tuple(text.format(locale, params) for text in words.notes),
        labels={name: text.in_(locale) for name, text in LABELS.items() if name != "greeting"},
    )


def sms_for(*, job: Job, contact: Contact) -> str:
    """Return the SMS of `job` in the language of `contact`: one short text without a link."""
    return SMS[job.kind].format(contact.locale, _params(job, contact, ""))


def _params(job: Job, contact: Contact, invoice_number: str) -> dict[str, str]:
    locale, booking = contact.locale, job.booking
    params = {
        "name": contact.first_name,
        "email": contact.email,
        "reference": booking.reference if booking else "",
        "number": invoice_number,
        "amount": amount(job.amount, locale) if job.amount else "",
        "expires": _at_home(job.link_expires_at, contact) if job.link_expires_at else "",
        "held_until": _at_home(booking.held_until, contact) if booking and booking.held_until else "",
        "title": "",
        "start": "",
        "total": "",
    }
    if booking:
        params |= {
            "title": booking.trip.title.in_(locale),
            "start": day(booking.trip.starts_at, booking.trip.time_zone, locale),
            "total": amount(booking.total, locale),
        }
    if offer := job.offer:
        params |= {
            "title": offer.title.in_(locale),
            "start": day(offer.starts_at, offer.time_zone, locale),
            "seats": str(offer.seats),
            "offered_until": _at_home(offer.offered_until, contact) if offer.offered_until else "",
        }
    return params


def _at_home(instant: datetime, contact: Contact) -> str:
    return f"{moment(instant, contact.time_zone, contact.locale)} ({contact.time_zone})"


def _facts(booking: BookingFacts, locale: Locale) -> tuple[tuple[str, str], ...]:
    trip = booking.trip
    where = LABELS["local_time"].in_(locale)
    return (
        (LABELS["reference"].in_(locale), booking.reference),
        (LABELS["starts"].in_(locale), f"{moment(trip.starts_at, trip.time_zone, locale)} ({where})"),
        (LABELS["ends"].in_(locale), f"{moment(trip.ends_at, trip.time_zone, locale)} ({where})"),
        (LABELS["travellers"].in_(locale), str(booking.seats)),
    )


def _facts_of_offer(offer: OfferFacts, contact: Contact) -> tuple[tuple[str, str], ...]:
    locale = contact.locale
    starts = f"{moment(offer.starts_at, offer.time_zone, locale)} ({LABELS['local_time'].in_(locale)})"
    facts = [(LABELS["starts"].in_(locale), starts), (LABELS["seats"].in_(locale), str(offer.seats))]
    if offer.offered_until:
        facts.append((LABELS["held_until"].in_(locale), _at_home(offer.offered_until, contact)))
    return tuple(facts)


def _lines(booking: BookingFacts, locale: Locale) -> tuple[tuple[str, str], ...]:
    return tuple((f"{line.quantity} × {line.label.in_(locale)}", amount(line.total, locale)) for line in booking.lines)


def _total(job: Job, locale: Locale) -> tuple[str, str] | None:
    if job.kind is Kind.REFUND and job.amount:
        return LABELS["refunded"].in_(locale), amount(job.amount, locale)
    if job.kind is Kind.BOOKING_CONFIRMED and job.booking:
        return LABELS["paid"].in_(locale), amount(job.booking.total, locale)
    return None
