"""Find the notifications that no signal delivered. The signal is only the fast path; the sweep is the guarantee."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from notifications_service.notifications.domain import Channel, Status
from notifications_service.notifications.models import Notification, PausedChannel
from notifications_service.notifications.queues import URGENT_KINDS, Queue
from notifications_service.notifications.services.attempts import is_overdue
from shared.db import try_advisory_xact_lock
from shared.errors import Conflict
from shared.text import Text

_FAST_PATH: Final = timedelta(seconds=3)  # the signal has this long to deliver, before the sweep looks
# A queue with fewer tasks than LOW is filled up to FULL. Workers empty it more slowly than sweeps follow one another.
LOW: Final = 500
FULL: Final = 1_000
_URGENT: Final = Q(kind__in=URGENT_KINDS)
_SMS: Final = Q(channel=Channel.SMS)
_HAS_DOCUMENT: Final = Q(invoice__isnull=False)
_ROWS: Final = {
    Queue.URGENT: _URGENT,
    Queue.SMS: ~_URGENT & _SMS,
    Queue.DOCUMENTS: ~_URGENT & ~_SMS & _HAS_DOCUMENT,
    Queue.MAIL: ~_URGENT & ~_SMS & ~_HAS_DOCUMENT,
}


class Enqueue(Protocol):
    """Enqueues one notification."""

    def __call__(self, *, notification_id: UUID, queue: Queue) -> None:
        """Enqueue the notification. Raises an exception if the broker is unavailable."""


class NotFailed(Conflict):
    """The notification did not fail, so it is not sent again."""

    code = "NOTIFICATION_NOT_FAILED"
    text = Text(en="Only failed notifications are sent again.", fr="Seules les notifications en échec sont renvoyées.")


@transaction.atomic
def sweep(*, waiting_in: Callable[[Queue], int], enqueue: Enqueue) -> int:
    """Refill the queues with overdue notifications, URGENT first. Return how many were enqueued.

    Only one sweep runs at a time; another returns 0. A queue never has more than FULL tasks because of sweeps.
    """
    if not try_advisory_xact_lock("notifications.sweep"):
        return 0
    enqueued = 0
    for queue in Queue:
        if (waiting := waiting_in(queue)) < LOW:
            for notification_id in overdue(queue, limit=FULL - waiting):
                enqueue(notification_id=notification_id, queue=queue)
                enqueued += 1
    return enqueued


def overdue(queue: Queue, *, limit: int = FULL) -> list[UUID]:
    """Return the ids of the queue's notifications that should have been delivered by now, oldest first.

    Of a paused channel it is only one, and only if a probe is due.
    """
    rows = Notification.objects.filter(is_overdue(by=_FAST_PATH), _ROWS[queue]).order_by("next_attempt_at", "id")
    paused = list(PausedChannel.objects.values_list("channel", flat=True))
    if not paused:
        return list(rows.values_list("id", flat=True)[:limit])
    return [*_probes(rows), *rows.exclude(channel__in=paused).values_list("id", flat=True)[:limit]]


def _probes(rows: QuerySet[Notification]) -> list[UUID]:
    """Return the oldest of `rows` for each paused channel whose probe is due."""
    due = PausedChannel.objects.filter(next_probe_at__lte=Now()).values_list("channel", flat=True)
    oldest = (rows.filter(channel=channel).values_list("id", flat=True).first() for channel in due)
    return [notification_id for notification_id in oldest if notification_id]


def send_again(*, notification_id: UUID) -> None:
    """Make a failed notification PENDING again, due at once, with no failures counted. Raises NotFailed otherwise.

    It keeps the time at which it was made, because a mail that is sent twice must be the same mail.
    """
    changed = Notification.objects.filter(id=notification_id, status=Status.FAILED).update(
        status=Status.PENDING, next_attempt_at=Now() - _FAST_PATH, failures=0, cause=""
    )
    if not changed:
        raise NotFailed
