"""What destinations_service says of a departure: its capacity, that it is closed, that it will not leave."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings_service.bookings.contracts import DepartureSnapshot, Seats
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.release import offer_free_seats
from shared.db import database_now
from shared.errors import NotFound

log = logging.getLogger(__name__)


def learn_departure(*, snapshot: DepartureSnapshot, now: datetime) -> None:
    """Take over a departure's news, unless newer news came before, inside the caller's transaction; new seats go to the line first."""
    if not inventory.learn(snapshot):
        log.error("alarm: a capacity cut did not fit: departure %s wanted %s", snapshot.departure_id, snapshot.capacity)
    offer_free_seats(departure_id=snapshot.departure_id, now=now)


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> Seats:
    """Apply a capacity that destinations_service is about to commit. Raises CapacityBelowSold with both numbers, NotFound."""
    with transaction.atomic():
        seats = inventory.set_capacity(departure_id=departure_id, capacity=capacity, version=version)
        offer_free_seats(departure_id=departure_id, now=database_now())
        return seats


def close_departure(*, departure_id: UUID) -> None:
    """Have nobody book the departure any more: it will not leave. Raises NotFound."""
    with transaction.atomic():
        if not SeatInventory.objects.filter(departure_id=departure_id).exists():
            raise NotFound
        inventory.cancel(departure_id=departure_id)
