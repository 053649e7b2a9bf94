"""The Django app of billing."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Invoices and credit notes."""

    name = "notifications_service.billing"
    label = "billing"
    default_auto_field = "django.db.models.BigAutoField"
