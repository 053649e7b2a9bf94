"""Find what the fast path left behind: the sweep is the guarantee, the signal only the speed."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from notifications_service.notifications.domain import Status
from notifications_service.notifications.models import Notification
from notifications_service.notifications.services.ledger import leave_later_than
from shared.errors import Conflict
from shared.text import Text

_AGE: Final = timedelta(seconds=3)  # the fast path's own time
_BATCH: Final = 500


class NotFailed(Conflict):
    """Only what failed can be sent again."""

    code = "NOTIFICATION_NOT_FAILED"
    text = Text(en="Only failed notifications are sent again.", fr="Seules les notifications en échec sont renvoyées.")


def due() -> list[UUID]:
    """Return what should have been delivered by now, eldest first: 500 at most."""
    rows = Notification.objects.filter(leave_later_than(_AGE)).order_by("next_attempt_at", "id")
    return list(rows.values_list("id", flat=True)[:_BATCH])


def send_again(*, notification_id: UUID) -> None:
    """Let a failed notification be tried once more, at once. Raises NotFailed for any other."""
    changed = Notification.objects.filter(id=notification_id, status=Status.FAILED).update(
        status=Status.PENDING, next_attempt_at=Now() - _AGE, created_at=Now(), cause=""
    )
    if not changed:
        raise NotFailed
