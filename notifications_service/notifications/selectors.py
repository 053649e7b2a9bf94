"""Reads of notifications. A notification of another person is treated as if it did not exist."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from notifications_service.notifications.content import subject_of
from notifications_service.notifications.contracts import NotificationView
from notifications_service.notifications.domain import Channel, Kind, Status
from notifications_service.notifications.models import Notification
from shared.errors import NotFound
from shared.text import Locale


def notifications_of_person(*, person_id: UUID) -> QuerySet[Notification]:
    """Return the person's notifications for paging, newest first. Map each row with `to_view`."""
    return Notification.objects.filter(person_id=person_id).order_by("-id")


def get_notification(*, notification_id: UUID, person_id: UUID) -> NotificationView:
    """Return the notification. Raises NotFound if it does not exist or is another person's."""
    row = Notification.objects.filter(id=notification_id, person_id=person_id).first()
    if row is None:
        raise NotFound
    return to_view(row)


def notifications_by_id(*, ids: Iterable[UUID], person_id: UUID) -> list[NotificationView]:
    """Return the notifications that belong to the person. Skip the others."""
    return [to_view(row) for row in Notification.objects.filter(id__in=list(ids), person_id=person_id)]


def notifications_of_booking(*, booking_id: UUID) -> list[NotificationView]:
    """Return every notification about a booking, oldest first. For staff: it does not ask whose they are."""
    return [to_view(row) for row in Notification.objects.filter(booking_id=booking_id).order_by("id")]


def to_view(row: Notification) -> NotificationView:
    """Return the notification as its owner sees it: SENDING is shown as PENDING."""
    status = Status(row.status)
    return NotificationView(
        id=row.id,
        person_id=row.person_id,
        channel=Channel(row.channel),
        kind=Kind(row.kind),
        subject=subject_of(Kind(row.kind), row.booking_reference, Locale(row.locale)),
        status=Status.PENDING if status is Status.SENDING else status,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
