"""The admin of bookings: pages to look at bookings, seats and webhooks, and forms that change them only through the services."""

from bookings_service.bookings.admin.bookings import BookingAdmin
from bookings_service.bookings.admin.seats import SeatInventoryAdmin
from bookings_service.bookings.admin.webhooks import WebhookAdmin

__all__ = ["BookingAdmin", "SeatInventoryAdmin", "WebhookAdmin"]
