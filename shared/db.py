"""What Django's ORM does not offer: the database's time, notifications, advisory locks and error codes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection


def database_now() -> datetime:
    """Return the database's time at the start of the current transaction, in UTC.

    It is the same for the whole transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def clock_now() -> datetime:
    """Return the database's time at this moment, in UTC: after a wait for locks, not before it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def notify(channel: str, payload: str = "") -> None:
    """Notify the listeners of `channel`.

    Call it only after the commit: inside a transaction it costs a quarter of the throughput.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def lock_key(*parts: object) -> int:
    """Return the signed 64-bit key of an advisory lock on `parts`."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def try_advisory_xact_lock(*parts: object) -> bool:
    """Take the advisory lock on `parts` until the transaction ends.

    Return False at once if another transaction has it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_key(*parts)])
        return bool(cursor.fetchone()[0])


def advisory_xact_lock(*parts: object) -> None:
    """Wait for the advisory lock on `parts`, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(*parts)])


@contextmanager
def advisory_lock(*parts: object) -> Iterator[None]:
    """Hold the advisory lock on `parts` during the body, inside or outside a transaction.

    The setting lock_timeout of PostgreSQL limits the wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock_key(*parts)])
    try:
        yield
    finally:
        if connection.is_usable():  # a lost connection has lost the lock too
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_key(*parts)])


@contextmanager
def try_advisory_lock(*parts: object) -> Iterator[bool]:
    """Hold the advisory lock on `parts` during the body, and yield True.

    Yield False at once if another session has it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(*parts)])
        is_held = bool(cursor.fetchone()[0])
    try:
        yield is_held
    finally:
        if is_held and connection.is_usable():  # a lost connection has lost the lock too
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_key(*parts)])


def own_database() -> str:
    """Return a connection string of the service's own database, without the pool and without time limits."""
    from psycopg.conninfo import make_conninfo  # the gateway imports this module, and has no psycopg

    database = settings.DATABASES["default"]
    return make_conninfo(
        "",
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        connect_timeout=3,
        application_name=f"travel-{settings.SERVICE_NAME}-relay",
    )


def database_answers() -> bool:
    """Return whether the service's own database answers."""
    try:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except DatabaseError:
        return False
    finally:
        close_old_connections()


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's error code of a Django database error, or None if the server never answered."""
    code: str | None = getattr(error.__cause__, "sqlstate", None)
    return code


def violated_constraint(error: BaseException) -> str | None:
    """Return the name of the constraint that a Django IntegrityError is about."""
    diagnostics = getattr(error.__cause__, "diag", None)
    name: str | None = getattr(diagnostics, "constraint_name", None)
    return name
