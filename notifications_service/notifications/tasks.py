"""The Celery tasks. Each calls one service, and the database decides: a lost or repeated task does no harm."""

from typing import Final
from uuid import UUID

import structlog
from celery import current_app, shared_task

from notifications_service.notifications import services
from notifications_service.notifications.queues import Queue

log = structlog.get_logger(__name__)
_EXPIRES_SECONDS: Final = 600  # the sweep has sent another task by then


@shared_task(name="notifications.deliver", ignore_result=True)
def deliver(*, notification_id: str) -> None:
    """Deliver one notification."""
    services.deliver(notification_id=UUID(notification_id))


@shared_task(name="notifications.sweep", ignore_result=True)
def sweep() -> int:
    """Refill the queues with overdue notifications and return how many were enqueued."""
    enqueued = services.sweep(waiting_in=waiting_in, enqueue=enqueue)
    if enqueued:
        log.info("swept", enqueued=enqueued)
    return enqueued


def waiting_in(queue: Queue) -> int:
    """Return how many tasks wait in the queue. Raises OperationalError if the broker is unavailable."""
    with current_app.producer_pool.acquire(block=True) as producer:
        return int(producer.channel.queue_declare(queue=queue.value).message_count)


def enqueue(*, notification_id: UUID, queue: Queue) -> None:
    """Enqueue the delivery. Raises OperationalError if the broker is unavailable; the sweep then enqueues it later."""
    deliver.apply_async(
        kwargs={"notification_id": str(notification_id)},
        queue=queue.value,
        retry=False,
        expires=_EXPIRES_SECONDS,
    )
