"""The app, and what wakes its worker."""

import time
from typing import Any
from uuid import UUID

import structlog
from django.apps import AppConfig
from django.db.models.signals import post_migrate
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


class NotificationsConfig(AppConfig):
    name = "notifications_service.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Wake the worker after a commit; the sweep makes up for what this misses."""
        from notifications_service.config import celery
        from notifications_service.notifications.signals import notification_requested
        from notifications_service.notifications.staff import grant

        celery.app.set_default()  # of every thread: tasks are sent from whichever commits
        post_migrate.connect(grant, sender=self, dispatch_uid="notifications.staff")
        notification_requested.connect(_Waker.enqueue, dispatch_uid="notifications.enqueue")


class _Waker:
    """Enqueues deliveries; a broker that is away is left alone for five seconds, for commits must not wait for it."""

    quiet_until = 0.0

    @classmethod
    def enqueue(cls, *, notification_id: UUID, **_: Any) -> None:
        """Wake a worker, or leave the notification to the sweep."""
        from notifications_service.notifications.tasks import enqueue

        if time.monotonic() < cls.quiet_until:
            return
        try:
            enqueue(notification_id=notification_id)
        except OperationalError as error:
            cls.quiet_until = time.monotonic() + 5.0
            log.warning("broker_away", cause=type(error).__name__)
