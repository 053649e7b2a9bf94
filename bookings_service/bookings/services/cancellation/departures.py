"""Cancelling the bookings of a departure that was cancelled."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings_service.bookings.contracts import SYSTEM
from bookings_service.bookings.domain.booking import Reason, Status
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.bookings.services.cancellation.effects import cancel_in_full
from shared.db import database_now


def cancel_bookings_of_cancelled(*, limit: int = 50, departure_id: UUID | None = None) -> int:
    """Cancel up to `limit` bookings of departures (or one) that will not leave, everything paid goes back; return how many were.

    Each in a transaction of its own, so that a batch that was cut short simply goes on.
    """
    cancelled = SeatInventory.objects.filter(cancelled=True)
    if departure_id is not None:
        cancelled = cancelled.filter(departure_id=departure_id)
    waiting = Booking.objects.filter(
        departure_id__in=cancelled.values("departure_id"), status__in=[Status.PENDING, Status.CONFIRMED]
    ).values_list("id", flat=True)[:limit]
    return sum(_cancel(booking_id) for booking_id in list(waiting))


def _cancel(booking_id: UUID) -> bool:
    with transaction.atomic():
        now: datetime = database_now()
        booking = (
            Booking.objects.select_for_update(skip_locked=True)
            .filter(id=booking_id, status__in=[Status.PENDING, Status.CONFIRMED])
            .first()
        )
        if booking is None:
            return False
        cancel_in_full(booking, reason=Reason.DEPARTURE_CANCELLED, actor=SYSTEM, now=now)
        return True
