"""A booking's history: every change writes its status, one BookingEvent and one outbox row together, under the booking's lock."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from google.protobuf.message import Message

from bookings_service.bookings.contracts import Actor
from bookings_service.bookings.models import Booking, BookingEvent
from shared.db import notify
from shared.outbox import publish
from shared.text import Text

WATCH_CHANNEL: Final = "booking_events"

MESSAGES: Final[Mapping[str, Text]] = {
    "booking.created": Text(en="Seats held, waiting for payment.", fr="Places retenues, en attente de paiement."),
    "booking.confirmed": Text(en="Booking confirmed.", fr="Réservation confirmée."),
    "booking.hold_extended": Text(
        en="The seats are held a little longer while the payment is processed.",
        fr="Les places restent retenues pendant le traitement du paiement.",
    ),
    "booking.passengers_cancelled": Text(
        en="Some passengers were cancelled; the others travel.",
        fr="Des passagers ont été annulés ; les autres voyagent.",
    ),
    "booking.passenger_renamed": Text(en="A passenger’s name was corrected.", fr="Le nom d’un passager a été corrigé."),
    "booking.cancelled": Text(en="Booking cancelled.", fr="Réservation annulée."),
    "payment.succeeded": Text(en="Payment received.", fr="Paiement reçu."),
    "payment.failed": Text(en="The payment did not succeed.", fr="Le paiement n’a pas abouti."),
    "refund.succeeded": Text(en="The refund was paid out.", fr="Le remboursement a été versé."),
    "refund.failed": Text(en="The refund did not succeed yet.", fr="Le remboursement n’a pas encore abouti."),
}

Build = Callable[[Booking, BookingEvent], Message]


def record(booking: Booking, type_: str, *, actor: Actor, now: datetime, build: Build, note: str = "") -> None:
    """Save the booking, write the next line of its history and publish `build(booking, line)`; `note` is for staff alone.

    The caller holds the booking's row lock, or has just made it.
    """
    booking.sequence += 1
    booking.save()
    _write(booking, type_, actor=actor, now=now, build=build, note=note)


def record_first(booking: Booking, *, actor: Actor, now: datetime, build: Build) -> None:
    """Write the first line of a booking that the caller has just inserted with sequence 1, and publish it."""
    _write(booking, "booking.created", actor=actor, now=now, build=build, note="")


def _write(booking: Booking, type_: str, *, actor: Actor, now: datetime, build: Build, note: str) -> None:
    message = MESSAGES[type_]
    line = BookingEvent.objects.create(
        booking=booking,
        sequence=booking.sequence,
        type=type_,
        status=booking.status,
        reason=booking.reason,
        at=now,
        actor=actor.kind,
        actor_id=actor.id,
        message_en=message.en,
        message_fr=message.fr,
        note=note,
    )
    publish(build(booking, line), aggregate_id=booking.id, sequence=booking.sequence, occurred_at=now)
    transaction.on_commit(lambda: notify(WATCH_CHANNEL, booking.reference), robust=True)
