"""The events of notifications, published in the transaction that ends the notification."""

from datetime import datetime

from contracts.travel.events.v1 import notifications_pb2
from notifications_service.notifications.contracts import ClaimedNotification
from shared.outbox import publish


def sent(notification: ClaimedNotification, *, now: datetime) -> None:
    """Publish that the notification was sent."""
    publish(
        notifications_pb2.NotificationSent(
            notification_id=str(notification.id),
            person_id=str(notification.person_id),
            channel=notification.channel.value,
            template=notification.kind.value,
        ),
        aggregate_id=notification.id,
        sequence=notification.attempts,
        occurred_at=now,
    )


def failed(notification: ClaimedNotification, *, cause: str, now: datetime) -> None:
    """Publish that the notification could not be delivered, and why."""
    publish(
        notifications_pb2.NotificationFailed(
            notification_id=str(notification.id),
            person_id=str(notification.person_id),
            channel=notification.channel.value,
            template=notification.kind.value,
            cause=cause[:200],
        ),
        aggregate_id=notification.id,
        sequence=notification.attempts,
        occurred_at=now,
    )
