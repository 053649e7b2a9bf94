"""Confirm the booking of a captured payment, inside the caller's transaction and under the booking's lock."""

from datetime import datetime

from bookings_service.bookings import events
from bookings_service.bookings.contracts import PROVIDER
from bookings_service.bookings.domain.booking import HOLD_ENDED, Action, Reason, Status
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.booking.transition import transition
from bookings_service.bookings.services.seats import inventory


def confirm(booking: Booking, *, now: datetime) -> bool:
    """Confirm the paid booking. Return False if that is impossible: then the money must be refunded.

    The held seats of a PENDING booking become sold. A booking whose hold has ended takes free seats, if there are
    enough, at the quoted price.
    """
    seats = booking.seats
    if booking.status == Status.PENDING:
        _to_confirmed(booking, Action.PAY, now=now)
        inventory.sell_held(departure_id=booking.departure_id, seats=seats)
        return True
    if booking.status == Status.CANCELLED and booking.reason in HOLD_ENDED and now < booking.starts_at:
        if not inventory.sell_free(departure_id=booking.departure_id, seats=seats, now=now):
            return False
        _to_confirmed(booking, Action.PAY_LATE, now=now)
        return True
    return False


def _to_confirmed(booking: Booking, action: Action, *, now: datetime) -> None:
    transition(booking, action, reason=Reason.PAID, event=events.confirmed(), actor=PROVIDER, now=now)
