"""Bookings as a Django app."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Quotes, seats and bookings."""

    name = "bookings_service.bookings"
    label = "bookings"
    verbose_name = "Bookings"
    default_auto_field = "django.db.models.BigAutoField"
