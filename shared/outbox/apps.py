"""The outbox as a Django app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Rows that wait for Kafka."""

    name = "shared.outbox"
    label = "outbox"
    verbose_name = "Outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receiver that wakes the relay."""
        from shared.outbox import signals

        signals.committed.connect(signals.wake_relay, dispatch_uid="outbox.wake_relay")
