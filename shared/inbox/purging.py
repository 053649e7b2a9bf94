"""Delete inbox rows, settled letters and counts of skipped types that are past INBOX_RETENTION.

In batches of one short transaction each, and for a bounded time in each round, so that the consumer's work goes on.
"""

import time
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now

from shared.inbox.models import DeadLetter, SkippedType

log = structlog.get_logger(__name__)

BATCH: Final = 5_000
ROUND_EVERY_SECONDS: Final = 10.0
_ROUND_SECONDS: Final = 0.5
_INBOX: Final = """
    DELETE FROM inbox_inboxmessage WHERE id IN (
        SELECT id FROM inbox_inboxmessage WHERE received_at < now() - %s
        ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def purge_round(*, consumer: str) -> int:
    """Delete what is past its retention, until nothing is left or the round's time is over. Return how many rows.

    Call it every ROUND_EVERY_SECONDS. A full round deletes thousands of rows a second. Never raises: a failure is
    logged, and the next round tries again.
    """
    deleted = 0
    until = time.monotonic() + _ROUND_SECONDS
    try:
        for rows in _batches():
            deleted += rows
            if time.monotonic() >= until:
                break
    except Exception as error:  # noqa: BLE001 - old rows are no reason to stop handling events
        log.warning("inbox_not_purged", consumer=consumer, cause=f"{type(error).__name__}: {error}"[:500])
        close_old_connections()
    return deleted


def _batches() -> Iterator[int]:
    """Delete batch after batch, and yield the number of rows of each."""
    delete: Callable[[], int]
    for delete in (_inbox_rows, _settled_letters, _skipped_types):
        while True:
            with transaction.atomic():
                rows = delete()
            yield rows
            if rows < BATCH:
                break


def _inbox_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_INBOX, [settings.INBOX_RETENTION, BATCH])
        return int(cursor.rowcount)


def _settled_letters() -> int:
    old = DeadLetter.objects.exclude(status__in=DeadLetter.OPEN).filter(changed_at__lt=Now() - settings.INBOX_RETENTION)
    ids = list(old.order_by("id").values_list("id", flat=True)[:BATCH])
    DeadLetter.objects.filter(id__in=ids).delete()  # with the actions of staff
    return len(ids)


def _skipped_types() -> int:
    deleted, _ = SkippedType.objects.filter(last_at__lt=Now() - settings.INBOX_RETENTION).delete()
    return deleted
