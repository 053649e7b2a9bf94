"""The usual course of an attempt, each step as one statement: its first claim, and that it was sent or suppressed.

They do what `attempts` does in several statements built by the ORM, which took most of a task's time.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from notifications_service.notifications.domain import Status
from notifications_service.notifications.models import Notification
from shared.text import Locale

_CLAIM: Final = """
WITH claimed AS (
    UPDATE notifications_notification
    SET status = 'SENDING', attempts = 1, leased_until = now() + make_interval(secs => %s)
    WHERE id = (
        SELECT id FROM notifications_notification AS due
        WHERE id = %s AND status = 'PENDING' AND attempts = 0 AND next_attempt_at <= now()
            AND (not_after IS NULL OR not_after > now())
            AND NOT EXISTS (SELECT FROM notifications_pausedchannel AS paused WHERE paused.channel = due.channel)
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
), begun AS (
    INSERT INTO notifications_deliveryattempt (notification_id, number, outcome, detail)
    SELECT id, attempts, '', '' FROM claimed
)
SELECT * FROM claimed"""

_END: Final = """
WITH ended AS (
    UPDATE notifications_notification
    SET status = %(status)s, leased_until = NULL, cause = %(detail)s, locale = COALESCE(%(locale)s, locale),
        sent_at = CASE WHEN %(status)s = 'SENT' THEN now() END
    WHERE id = %(id)s AND status = 'SENDING' AND attempts = %(attempt)s
    RETURNING id, attempts
), noted AS (
    UPDATE notifications_deliveryattempt AS attempt
    SET outcome = %(status)s, detail = %(detail)s, ended_at = statement_timestamp()
    FROM ended
    WHERE attempt.notification_id = ended.id AND attempt.number = ended.attempts
)
SELECT now() FROM ended"""


def claim_first(notification_id: UUID) -> Notification | None:
    """Claim the notification for its first attempt, and begin that.

    Return None if it is not due, is claimed or locked, had an attempt before, is too late, or its channel is paused.
    """
    rows: Any = Notification.objects.raw(_CLAIM, [settings.NOTIFICATIONS_LEASE_SECONDS, notification_id])
    return next(iter(rows), None)


def end(
    *, notification_id: UUID, attempt: int, status: Status, detail: str = "", locale: Locale | None = None
) -> datetime | None:
    """Write on notification and attempt that it was sent or suppressed, and return the transaction's time.

    Return None if the attempt is not the current one.
    """
    values: dict[str, UUID | int | str | None] = {
        "id": notification_id,
        "attempt": attempt,
        "status": status.value,
        "detail": detail[:500],
        "locale": locale.value if locale else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        row: tuple[datetime] | None = cursor.fetchone()
    return row[0] if row else None
