"""Bookings as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BookingsConfig(AppConfig):
    """Quotes, seats and bookings."""

    name = "bookings_service.bookings"
    label = "bookings"
    verbose_name = "Bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Give the groups of staff their permissions after every migration."""
        from bookings_service.bookings.admin.groups import grant

        post_migrate.connect(grant, sender=self, dispatch_uid="bookings.staff")
