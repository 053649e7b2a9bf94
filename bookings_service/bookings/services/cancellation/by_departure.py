"""Cancel the bookings of a departure that was cancelled."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from bookings_service.bookings.contracts import SYSTEM
from bookings_service.bookings.domain.booking import Reason, Status
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.bookings.services.cancellation.carry_out import cancel_with_full_refund
from bookings_service.bookings.services.job import Job, now_if_any
from shared.db import database_now
from shared.telemetry import bind_request


def cancel_bookings_of_cancelled_departures(*, limit: int = 50, departure_id: UUID | None = None) -> int:
    """Cancel up to `limit` bookings of cancelled departures, and refund everything refundable.

    With `departure_id`, cancel only the bookings of that departure, if it is cancelled. Return the number of bookings.

    Each booking is its own transaction, so a batch that was interrupted continues with the next call.
    """
    due = _to_cancel()
    if departure_id is not None:
        due = due.filter(departure_id=departure_id)
    return sum(_cancel(booking_id) for booking_id in list(due.values_list("id", flat=True)[:limit]))


def _to_cancel() -> QuerySet[Booking]:
    cancelled = SeatInventory.objects.filter(cancelled=True)
    return Booking.objects.filter(
        departure_id__in=cancelled.values("departure_id"), status__in=[Status.PENDING, Status.CONFIRMED]
    )


CANCEL_BOOKINGS_OF_CANCELLED_DEPARTURES = Job(
    "cancel_bookings_of_cancelled_departures", cancel_bookings_of_cancelled_departures, lambda: now_if_any(_to_cancel())
)


def _cancel(booking_id: UUID) -> bool:
    with bind_request(), transaction.atomic():  # each booking has a trace of its own, and its refunds continue it
        now = database_now()
        booking = (
            Booking.objects.select_for_update(skip_locked=True)
            .filter(id=booking_id, status__in=[Status.PENDING, Status.CONFIRMED])
            .first()
        )
        if booking is None:
            return False
        cancel_with_full_refund(booking, reason=Reason.DEPARTURE_CANCELLED, actor=SYSTEM, now=now)
        return True
