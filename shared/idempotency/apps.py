"""Idempotency keys as a Django app."""

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """Keys that have had their effect."""

    name = "shared.idempotency"
    label = "idempotency"
    verbose_name = "Idempotency keys"
    default_auto_field = "django.db.models.BigAutoField"
