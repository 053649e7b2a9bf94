from typing import Any

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications_service.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Wake the worker after a commit; the sweep makes up for what this misses."""
        from notifications_service.config import celery
        from notifications_service.notifications.signals import notification_requested

        celery.app.set_default()  # of every thread: tasks are sent from whichever commits
        notification_requested.connect(_enqueue, dispatch_uid="notifications.enqueue")


def _enqueue(*, notification_id: Any, **_: Any) -> None:
    from notifications_service.notifications.tasks import enqueue

    enqueue(notification_id=notification_id)
