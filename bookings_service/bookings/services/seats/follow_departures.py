"""Follow a departure in destinations_service: its capacity, and whether it is closed or cancelled."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction

from bookings_service.bookings.contracts import DepartureSnapshot, Seats
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.offering import offer_free_seats
from shared.db import database_now
from shared.errors import NotFound

log = structlog.get_logger(__name__)


def apply_departure(*, snapshot: DepartureSnapshot, now: datetime) -> None:
    """Store a departure's snapshot unless the stored version is newer, inside the caller's transaction.

    New free seats go to the waiting list first. If the capacity is below the taken seats, the number of taken seats is
    stored instead, and an alarm is raised.
    """
    if not inventory.store_snapshot(snapshot):
        log.error(
            "alarm:capacity_below_taken", departure_id=str(snapshot.departure_id), capacity=snapshot.capacity
        )  # fmt: skip
    offer_free_seats(departure_id=snapshot.departure_id, now=now)


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> Seats:
    """Store a capacity that destinations_service is about to commit. New free seats go to the waiting list first.

    Raises CapacityBelowSold with the held and sold seats, NotFound.
    """
    with transaction.atomic():
        seats = inventory.store_capacity(departure_id=departure_id, capacity=capacity, version=version)
        offer_free_seats(departure_id=departure_id, now=database_now())
        return seats


def mark_cancelled(*, departure_id: UUID) -> None:
    """Mark the departure as cancelled, so that nobody books it any more. Raises NotFound."""
    with transaction.atomic():
        if not SeatInventory.objects.filter(departure_id=departure_id).exists():
            raise NotFound
        inventory.cancel(departure_id=departure_id)
