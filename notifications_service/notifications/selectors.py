"""Reads of notifications. A notification of another person is treated as if it did not exist."""
# ruff: noqa: S608 — the statements are put together from constants. Every value is a parameter.

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from notifications_service.notifications.content import subject_of
from notifications_service.notifications.contracts import NotificationView
from notifications_service.notifications.domain import Channel, Kind, Status
from notifications_service.notifications.models import Notification
from shared.errors import NotFound
from shared.pages import Key, Listing, Page
from shared.statement import Statement
from shared.text import Locale


def notifications_page(*, person_id: UUID, traveller_id: UUID, first: int, after: str) -> Page[NotificationView]:
    """Return a page of the person's notifications, newest first. It is empty unless the person is the traveller.

    Raises Invalid (field `after`).
    """
    return _OF_PERSON.page(first=first, after=after, person_id=person_id, traveller_id=traveller_id)


def notifications_of_person(*, person_id: UUID) -> QuerySet[Notification]:
    """Return the person's notifications for paging, newest first. Map each row with `to_view`."""
    return Notification.objects.filter(person_id=person_id).order_by("-id")


def get_notification(*, notification_id: UUID, person_id: UUID) -> NotificationView:
    """Return the notification. Raises NotFound if it does not exist or is another person's."""
    views = notifications_by_id(ids=[notification_id], person_id=person_id)
    if not views:
        raise NotFound
    return views[0]


def notifications_by_id(*, ids: Iterable[UUID], person_id: UUID) -> list[NotificationView]:
    """Return the notifications that belong to the person. Skip the others."""
    return _BY_ID.all(ids=list(ids), person_id=person_id)


def notifications_of_booking(*, booking_id: UUID) -> list[NotificationView]:
    """Return every notification about a booking, oldest first. For staff: it does not ask whose they are."""
    return _OF_BOOKING.all(booking_id=booking_id)


def to_view(row: Notification) -> NotificationView:
    """Return the notification as its owner sees it: SENDING is shown as PENDING."""
    return _view(*attrgetter(*_COLUMNS)(row))


def _view(
    id: UUID, person_id: UUID, channel: str, kind: str, booking_reference: str, locale: str, status: str,
    created_at: datetime, sent_at: datetime | None,
) -> NotificationView:  # fmt: skip
    return NotificationView(
        id=id,
        person_id=person_id,
        channel=Channel(channel),
        kind=Kind(kind),
        subject=subject_of(Kind(kind), booking_reference, Locale(locale)),
        status=Status.PENDING if status == Status.SENDING else Status(status),
        created_at=created_at,
        sent_at=sent_at,
    )


_COLUMNS: Final = (
    "id", "person_id", "channel", "kind", "booking_reference", "locale", "status", "created_at", "sent_at",
)  # fmt: skip
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM notifications_notification"

_BY_ID: Final = Statement(_view, f"{_SELECT} WHERE id = ANY(%(ids)s) AND person_id = %(person_id)s ORDER BY id DESC")
_OF_BOOKING: Final = Statement(_view, f"{_SELECT} WHERE booking_id = %(booking_id)s ORDER BY id")
_OF_PERSON: Final = Listing(
    _view, f"{_SELECT} WHERE person_id = %(person_id)s AND person_id = %(traveller_id)s", kind="notification",
    keys=[Key("id", UUID, descending=True)],  # a UUIDv7's order is the order of creation
)  # fmt: skip
