"""What can be done with bookings: one module per use case."""

from bookings_service.bookings.services.cancel import cancel_booking, quote_cancellation
from bookings_service.bookings.services.create import create_booking
from bookings_service.bookings.services.departures import cancel_bookings_of_cancelled, learn_departure, set_capacity
from bookings_service.bookings.services.expire import expire_holds
from bookings_service.bookings.services.quote import create_quote
from bookings_service.bookings.services.tell import publish_inventory

__all__ = [
    "cancel_booking",
    "cancel_bookings_of_cancelled",
    "create_booking",
    "create_quote",
    "expire_holds",
    "learn_departure",
    "publish_inventory",
    "quote_cancellation",
    "set_capacity",
]
