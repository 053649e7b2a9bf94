"""The only module that writes a booking's status, its reason and its history.

Every change is one BookingEvent and one outbox row with the next sequence number, written together under the booking's
lock.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from google.protobuf.message import Message

from bookings_service.bookings import events
from bookings_service.bookings.contracts import Actor
from bookings_service.bookings.domain.booking import RECORDED_AS, Action, Reason, Status, next_status
from bookings_service.bookings.events import EventBuilder
from bookings_service.bookings.models import Booking, BookingEvent
from shared.db import notify
from shared.outbox import publish
from shared.statement import Insert

WATCH_CHANNEL: Final = "booking_events"
_BOOKING: Final = Insert(Booking)
_HISTORY_ENTRY: Final = Insert(BookingEvent)


def open_booking(booking: Booking, *, actor: Actor, now: datetime) -> None:
    """Insert a new booking, PENDING, with its first history entry. Raises IntegrityError if a unique value is taken."""
    booking.status, booking.reason, booking.sequence = Status.PENDING, Reason.HELD, 1
    _BOOKING.send(booking)
    _write(booking, events.created(), actor=actor, now=now, staff_reason="")


def transition(
    booking: Booking, action: Action, *, reason: Reason, event: EventBuilder[Message], actor: Actor, now: datetime,
    staff_reason: str = "",
) -> None:  # fmt: skip
    """Move the booking by `action`: status, reason, hold, history entry and outbox row change together.

    The caller holds the booking's row lock. `staff_reason` is what staff typed; travellers never see it.

    Raises IllegalTransition, and ValueError if the action has no such reason or event.
    """
    recorded = RECORDED_AS[action]
    if reason not in recorded.reasons or event.type != recorded.event:
        raise ValueError(f"{action} does not allow the reason {reason} with the event {event.type}")
    booking.status = next_status(Status(booking.status), action, current_reason=Reason(booking.reason))
    booking.reason = reason
    booking.hold_expires_at = None  # only a PENDING booking has a hold, and no action leads to PENDING
    save_with_history(booking, event, actor=actor, now=now, staff_reason=staff_reason)


def save_with_history(
    booking: Booking, event: EventBuilder[Message], *, actor: Actor, now: datetime, staff_reason: str = ""
) -> None:  # fmt: skip
    """Save the booking with its next history entry and outbox row.

    The caller holds the booking's row lock. `staff_reason` is what staff typed; travellers never see it.
    """
    booking.sequence += 1
    booking.save()
    _write(booking, event, actor=actor, now=now, staff_reason=staff_reason)


def _write(booking: Booking, event: EventBuilder[Message], *, actor: Actor, now: datetime, staff_reason: str) -> None:
    history_entry = BookingEvent(
        booking=booking,
        sequence=booking.sequence,
        type=event.type,
        status=booking.status,
        reason=booking.reason,
        at=now,
        actor=actor.kind,
        actor_id=actor.id,
        message_en=event.text.en,
        message_fr=event.text.fr,
        note=staff_reason,
    )
    _HISTORY_ENTRY.send(history_entry)
    publish(event.build(booking, history_entry), aggregate_id=booking.id, sequence=booking.sequence, occurred_at=now)
    transaction.on_commit(lambda: notify(WATCH_CHANNEL, booking.reference), robust=True)
