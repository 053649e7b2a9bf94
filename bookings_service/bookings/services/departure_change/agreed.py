"""What a booking says about the move of its departure."""

from datetime import datetime

from bookings_service.bookings.domain.departure_change import Dates
from bookings_service.bookings.models import Booking


def agreed_dates(booking: Booking) -> Dates:
    """Return the dates that the traveller agreed to: those that they bought, or accepted last."""
    if booking.changed_at is None or booking.change_accepted_at is not None:
        return Dates(booking.starts_at, booking.ends_at)
    if booking.previous_starts_at is None or booking.previous_ends_at is None:  # a constraint forbids it
        raise ValueError(f"booking {booking.reference} has a change without the previous dates")
    return Dates(booking.previous_starts_at, booking.previous_ends_at)


def free_cancellation_until(booking: Booking, *, now: datetime) -> datetime | None:
    """Return until when a cancellation is free because the departure was moved, or None if it is not free now."""
    until = booking.free_cancellation_until
    return until if until is not None and booking.change_accepted_at is None and now < until else None
