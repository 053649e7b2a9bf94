"""What destinations_service says of a departure: its capacity, that it is closed, that it will not leave."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import inventory, offers
from bookings_service.bookings.cancelling import cancel_in_full
from bookings_service.bookings.contracts import SYSTEM, DepartureSnapshot, Seats
from bookings_service.bookings.domain import Reason, Status
from bookings_service.bookings.models import Booking, SeatInventory
from shared.db import database_now
from shared.errors import NotFound

log = logging.getLogger(__name__)


def learn_departure(*, snapshot: DepartureSnapshot, now: datetime) -> None:
    """Take over a departure's news, unless newer news came before, inside the caller's transaction; new seats go to the line first."""
    if not inventory.learn(snapshot):
        log.error("alarm: a capacity cut did not fit: departure %s wanted %s", snapshot.departure_id, snapshot.capacity)
    offers.offer_free_seats(departure_id=snapshot.departure_id, now=now)


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> Seats:
    """Apply a capacity that destinations_service is about to commit. Raises CapacityBelowSold with both numbers, NotFound."""
    with transaction.atomic():
        seats = inventory.set_capacity(departure_id=departure_id, capacity=capacity, version=version)
        offers.offer_free_seats(departure_id=departure_id, now=database_now())
        return seats


def close_departure(*, departure_id: UUID) -> None:
    """Have nobody book the departure any more: it will not leave. Raises NotFound."""
    with transaction.atomic():
        if not SeatInventory.objects.filter(departure_id=departure_id).exists():
            raise NotFound
        inventory.cancel(departure_id=departure_id)


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
