"""The events of notifications, published in the transaction that ends the notification."""

from datetime import datetime

from contracts.travel.events.v1 import notifications_pb2
from notifications_service.notifications.models import Notification
from shared.outbox import publish


def sent(row: Notification, *, now: datetime) -> None:
    """Publish that the notification was sent."""
    publish(
        notifications_pb2.NotificationSent(
            notification_id=str(row.id), person_id=str(row.person_id), channel=row.channel, template=row.kind
        ),
        aggregate_id=row.id,
        sequence=row.attempts,
        occurred_at=now,
    )


def failed(row: Notification, *, cause: str, now: datetime) -> None:
    """Publish that the notification could not be delivered, and why."""
    publish(
        notifications_pb2.NotificationFailed(
            notification_id=str(row.id),
            person_id=str(row.person_id),
            channel=row.channel,
            template=row.kind,
            cause=cause[:200],
        ),
        aggregate_id=row.id,
        sequence=row.attempts,
        occurred_at=now,
    )
