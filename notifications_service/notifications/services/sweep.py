"""Find the notifications that no signal delivered. The signal is only the fast path; the sweep is the guarantee."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from notifications_service.notifications.domain import Status
from notifications_service.notifications.models import Notification
from notifications_service.notifications.services.attempts import is_overdue
from shared.errors import Conflict
from shared.text import Text

_FAST_PATH: Final = timedelta(seconds=3)  # the signal has this long to deliver, before the sweep looks
_BATCH: Final = 500


class NotFailed(Conflict):
    """The notification did not fail, so it is not sent again."""

    code = "NOTIFICATION_NOT_FAILED"
    text = Text(en="Only failed notifications are sent again.", fr="Seules les notifications en échec sont renvoyées.")


def overdue() -> list[UUID]:
    """Return the ids of the notifications that should have been delivered by now, oldest first, at most 500."""
    rows = Notification.objects.filter(is_overdue(by=_FAST_PATH)).order_by("next_attempt_at", "id")
    return list(rows.values_list("id", flat=True)[:_BATCH])


def send_again(*, notification_id: UUID) -> None:
    """Make a failed notification PENDING again, due at once. Raises NotFailed if it has any other status."""
    changed = Notification.objects.filter(id=notification_id, status=Status.FAILED).update(
        status=Status.PENDING, next_attempt_at=Now() - _FAST_PATH, created_at=Now(), cause=""
    )
    if not changed:
        raise NotFailed
