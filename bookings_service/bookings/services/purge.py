"""Delete rows past their retention, in batches that are short transactions. Quotes that were booked stay."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

# Each kind of row: the setting with its retention, its table, and the condition for rows past it.
_PAST: Final[Mapping[str, tuple[str, str, str]]] = {
    "quotes never booked": (
        "QUOTE_RETENTION", "bookings_quote",
        "used_at IS NULL AND held_seats = 0 AND expires_at < now() - %(past)s",
    ),
    "cancellation quotes never confirmed": (
        "QUOTE_RETENTION", "bookings_cancellationquote", "confirmed_at IS NULL AND expires_at < now() - %(past)s",
    ),
    "idempotency keys": ("KEY_RETENTION", "idempotency_idempotencykey", "created_at < now() - %(past)s"),
    "inbox rows": ("INBOX_RETENTION", "inbox_inboxmessage", "received_at < now() - %(past)s"),
    "webhooks that finance does not need": (
        "WEBHOOK_RETENTION", "payments_webhook",
        "outcome IN ('APPLIED', 'NOTHING_NEW') AND received_at < now() - %(past)s",
    ),
}  # fmt: skip
BATCH: Final = 5_000


def retentions() -> dict[str, timedelta]:
    """Return how long each kind of row is kept."""
    return {name: getattr(settings, setting) for name, (setting, _, _) in _PAST.items()}


def count_past() -> dict[str, int]:
    """Return how many rows of each kind are past their retention."""
    counts = {}
    for name, (setting, table, condition) in _PAST.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}", {"past": getattr(settings, setting)})  # noqa: S608
            counts[name] = cursor.fetchone()[0]
    return counts


def purge(name: str) -> Iterator[int]:
    """Delete the rows of one kind that are past their retention. Yield the number of rows of each batch."""
    setting, table, condition = _PAST[name]
    rows = f"SELECT id FROM {table} WHERE {condition} LIMIT {BATCH} FOR UPDATE SKIP LOCKED"  # noqa: S608
    batch = f"DELETE FROM {table} WHERE id IN ({rows})"  # noqa: S608
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(batch, {"past": getattr(settings, setting)})
            if not cursor.rowcount:
                return
            yield cursor.rowcount
