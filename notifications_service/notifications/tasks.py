"""The Celery tasks. Each calls one service, and the database decides: a lost or repeated task does no harm."""

from uuid import UUID

import structlog
from celery import shared_task
from django.conf import settings

from notifications_service.notifications import services

log = structlog.get_logger(__name__)


@shared_task(name="notifications.deliver", ignore_result=True)
def deliver(*, notification_id: str) -> None:
    """Deliver one notification."""
    services.deliver(notification_id=UUID(notification_id))


@shared_task(name="notifications.sweep", ignore_result=True)
def sweep() -> int:
    """Enqueue the overdue notifications and return how many there are."""
    overdue = services.overdue()
    for notification_id in overdue:
        enqueue(notification_id=notification_id)
    if overdue:
        log.info("swept", found=len(overdue))
    return len(overdue)


def enqueue(*, notification_id: UUID) -> None:
    """Enqueue the delivery. Raises OperationalError if the broker is unavailable; the sweep then enqueues it later.

    The task expires after a minute, because the sweep has sent another by then. A worker that was down for an hour does
    not find hundreds of copies.
    """
    deliver.apply_async(
        kwargs={"notification_id": str(notification_id)},
        queue=settings.CELERY_TASK_DEFAULT_QUEUE,
        retry=False,
        expires=60,
    )
