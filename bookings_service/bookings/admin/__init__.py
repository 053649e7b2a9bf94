"""The admin of bookings: a page tells a booking's story; what the rules own is changed by their services alone."""

from bookings_service.bookings.admin.bookings import BookingAdmin
from bookings_service.bookings.admin.seats import SeatInventoryAdmin

__all__ = ["BookingAdmin", "SeatInventoryAdmin"]
