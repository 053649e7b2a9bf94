"""The admin of bookings: a page tells a booking's story; what the rules own is changed by their services alone."""

from bookings_service.bookings.admin.bookings import BookingAdmin
from bookings_service.bookings.admin.seats import SeatInventoryAdmin
from bookings_service.bookings.admin.webhooks import WebhookAdmin

__all__ = ["BookingAdmin", "SeatInventoryAdmin", "WebhookAdmin"]
