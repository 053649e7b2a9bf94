"""Give seats back. In the same transaction they are offered to the waiting list, so nobody else can take them first."""

from datetime import datetime
from uuid import UUID

from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.offering import offer_free_seats


def release(*, departure_id: UUID, now: datetime, held: int = 0, sold: int = 0) -> None:
    """Give `held` and `sold` seats back, and offer what is free to the waiting list.

    Bookings, offers and quotes give seats back only through this function. It leaves the inventory row locked until the
    caller's transaction ends.
    """
    inventory.give_back(departure_id=departure_id, held=held, sold=sold)
    offer_free_seats(departure_id=departure_id, now=now)
