"""What a captured payment does to its booking, inside the caller's transaction and under the booking's lock."""

from datetime import datetime

from bookings_service.bookings import events
from bookings_service.bookings.contracts import PROVIDER
from bookings_service.bookings.domain.booking import HOLD_ENDED, Action, Reason, Status, next_status
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.booking.history import record
from bookings_service.bookings.services.seats import inventory


def confirm(booking: Booking, *, now: datetime) -> bool:
    """Confirm the paid booking; return False where it cannot be and the money must go back.

    A PENDING booking turns its held seats into sold ones. One whose hold had ended takes free seats, if there are, at the quoted price.
    """
    seats = booking.seats
    if booking.status == Status.PENDING:
        _to_confirmed(booking, Action.PAY, now=now)
        inventory.sell_held(departure_id=booking.departure_id, seats=seats)
        return True
    if booking.status == Status.CANCELLED and booking.reason in HOLD_ENDED and now < booking.starts_at:
        if not inventory.sell_free(departure_id=booking.departure_id, seats=seats):
            return False
        _to_confirmed(booking, Action.PAY_LATE, now=now)
        return True
    return False


def _to_confirmed(booking: Booking, action: Action, *, now: datetime) -> None:
    booking.status = next_status(Status(booking.status), action, reason=Reason(booking.reason))
    booking.reason = Reason.PAID
    booking.hold_expires_at = None
    record(booking, "booking.confirmed", actor=PROVIDER, now=now, build=events.confirmed)
