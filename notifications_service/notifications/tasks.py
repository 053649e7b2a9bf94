"""Celery's side: tasks take ids and call one service. The database is the truth; a lost or repeated message changes nothing."""

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
    """Enqueue what is due and was not delivered by the fast path; return how many that is."""
    found = services.due()
    for notification_id in found:
        enqueue(notification_id=notification_id)
    if found:
        log.info("swept", found=len(found))
    return len(found)


def enqueue(*, notification_id: UUID, **_: object) -> None:
    """Ask a worker to deliver. Raises where the broker is away: whoever calls may leave it to the sweep.

    The message is void after a minute, by when the sweep has sent another: a worker that was away finds no pile.
    """
    deliver.apply_async(
        kwargs={"notification_id": str(notification_id)},
        queue=settings.CELERY_TASK_DEFAULT_QUEUE,
        retry=False,
        expires=60,
    )
