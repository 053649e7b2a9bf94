"""Takes guards out for the controls: a proof that stays green without its guard proves nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from unittest.mock import patch

from django.db import connection
from django.db.models import QuerySet

from bookings_service.bookings.services.booking import quote_to_book
from shared.idempotency.requests import IdempotentRequest

TABLES: Final = (
    "bookings_booking, bookings_quote, bookings_seatinventory, bookings_waitlistentry, payments_webhook, outbox_outboxevent,"
    " idempotency_idempotencykey"
)


def empty_tables() -> None:
    """Empty the tables of bookings and payments."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")


@contextmanager
def without_row_locks() -> Iterator[None]:
    """Make SELECT … FOR UPDATE lock nothing, nor the advisory lock of a traveller's holds."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(QuerySet, "select_for_update", lambda self, **_: self.all()))
        for statement, lock in (
            (quote_to_book._LOCK_QUOTE, "FOR UPDATE OF quote"),
            (quote_to_book._LOCK_HOLDS, "pg_advisory_xact_lock"),
        ):
            assert lock in statement.sql
            stack.enter_context(patch.object(statement, "sql", statement.sql.replace(lock, "")))
        yield


@contextmanager
def without_idempotency() -> Iterator[None]:
    """Make idempotency keys lock nothing and remember nothing."""

    with (
        patch.object(IdempotentRequest, "_lock", lambda self: None),
        patch.object(IdempotentRequest, "_record", lambda self, result: None),
    ):
        yield


@contextmanager
def without_constraints(*names: str) -> Iterator[None]:
    """Drop these constraints or unique indexes. At the end, empty the tables and restore them."""
    with connection.cursor() as cursor:
        definitions = [_definition(name) for name in names]
        for drop, _ in definitions:
            cursor.execute(drop)
        try:
            yield
        finally:
            empty_tables()
            for _, restore in definitions:
                cursor.execute(restore)


def _definition(name: str) -> tuple[str, str]:
    """Return the statements that drop and restore a constraint or an index. Raises LookupError if it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),"
            " format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))"
            " FROM pg_constraint WHERE conname = %s"
            " UNION ALL SELECT format('DROP INDEX %%I', indexname), indexdef FROM pg_indexes"
            " WHERE indexname = %s AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)",
            [name, name],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"no constraint or index {name}")
    return row[0], row[1]
