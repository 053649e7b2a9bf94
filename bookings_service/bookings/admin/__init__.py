"""The admin of bookings: read-only pages of bookings, seats and webhooks, and forms that call the services."""

from bookings_service.bookings.admin.bookings import BookingAdmin
from bookings_service.bookings.admin.seats import SeatInventoryAdmin
from bookings_service.bookings.admin.webhooks import WebhookAdmin

__all__ = ["BookingAdmin", "SeatInventoryAdmin", "WebhookAdmin"]
