"""The Django app of notifications. It connects the signal that wakes the worker."""

import time
from typing import Any
from uuid import UUID

import structlog
from django.apps import AppConfig
from django.db.models.signals import post_migrate
from kombu.exceptions import OperationalError

from notifications_service.notifications.queues import Queue

log = structlog.get_logger(__name__)


class NotificationsConfig(AppConfig):
    """Mails and SMS to travellers."""

    name = "notifications_service.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the signals: wake the worker after a commit, and grant the groups' permissions after a migration."""
        from notifications_service.config import celery
        from notifications_service.notifications.groups import grant_permissions
        from notifications_service.notifications.signals import notification_requested

        celery.app.set_default()  # for every thread, because tasks are sent from the thread that commits
        post_migrate.connect(grant_permissions, sender=self, dispatch_uid="notifications.groups")
        notification_requested.connect(_Waker.enqueue, dispatch_uid="notifications.enqueue")


class _Waker:
    """Enqueue deliveries. After a failure, skip the broker for five seconds, so that commits do not wait for it."""

    quiet_until = 0.0

    @classmethod
    def enqueue(cls, *, notification_id: UUID, queue: Queue, **_: Any) -> None:
        """Wake a worker. If the broker is unavailable, the sweep enqueues the notification later."""
        from notifications_service.notifications.tasks import enqueue

        if time.monotonic() < cls.quiet_until:
            return
        try:
            enqueue(notification_id=notification_id, queue=queue)
        except OperationalError as error:
            cls.quiet_until = time.monotonic() + 5.0
            log.warning("broker_unavailable", cause=type(error).__name__)
