"""What can be done with bookings: one module per use case."""

from bookings_service.bookings.services.cancel import cancel_booking, quote_cancellation
from bookings_service.bookings.services.create import create_booking
from bookings_service.bookings.services.departures import (
    cancel_bookings_of_cancelled,
    close_departure,
    learn_departure,
    set_capacity,
)
from bookings_service.bookings.services.expire import expire_holds
from bookings_service.bookings.services.quote import create_quote
from bookings_service.bookings.services.rename import rename_passenger
from bookings_service.bookings.services.staff import cancel_as_staff, quote_cancellation_as_staff
from bookings_service.bookings.services.tell import publish_inventory
from bookings_service.bookings.services.waitlist import (
    expire_offers,
    expire_taken_offers,
    join_waitlist,
    leave_waitlist,
    offer_to_waiting,
)

__all__ = [
    "cancel_as_staff",
    "cancel_booking",
    "cancel_bookings_of_cancelled",
    "close_departure",
    "create_booking",
    "create_quote",
    "expire_holds",
    "expire_offers",
    "expire_taken_offers",
    "join_waitlist",
    "learn_departure",
    "leave_waitlist",
    "offer_to_waiting",
    "publish_inventory",
    "quote_cancellation",
    "quote_cancellation_as_staff",
    "rename_passenger",
    "set_capacity",
]
