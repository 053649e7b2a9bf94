"""The relay's statements: which rows wait, and what became of a row.

Every write is conditional on the row being undelivered, so a repeated or a late write changes nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, LiteralString, NamedTuple

import psycopg

from shared.cloudevents import Envelope
from shared.events import is_required

Connection = psycopg.Connection[Any]

MAX_CAUSE: Final = 500
_COLUMNS: Final = (
    "SELECT id, topic, key, event_id::text, type, sequence, occurred_at, value, traceparent, request_id"
    " FROM outbox_outboxevent AS event WHERE delivered_at IS NULL AND set_aside_at IS NULL"
)
_NOT_BEHIND_A_ROW_SET_ASIDE: Final = (
    " AND NOT EXISTS (SELECT FROM outbox_outboxevent AS earlier"
    " WHERE earlier.delivered_at IS NULL AND earlier.set_aside_at IS NOT NULL"
    " AND earlier.topic = event.topic AND earlier.key = event.key AND earlier.id < event.id)"
    " ORDER BY id LIMIT %(limit)s"
)

_ANY: Final = (
    "SELECT EXISTS (SELECT FROM outbox_outboxevent WHERE delivered_at IS NULL AND set_aside_at IS NULL)"  # planned once
)

_SESSION: Final = (
    "SET statement_timeout = '30s'",
    # A mark that a crash of PostgreSQL loses only makes a repeat.
    "SET synchronous_commit = off",
    # Read in the order of the index of undelivered rows. Without fresh statistics PostgreSQL expects few such rows, and
    # would read and sort the whole backlog for each batch.
    "SET enable_bitmapscan = off",
    "SET enable_seqscan = off",
    "SET enable_sort = off",
)


class Row(NamedTuple):
    """An undelivered row. `topic` has no prefix."""

    id: int
    topic: str
    key: str
    envelope: Envelope


def configure(connection: Connection, *, lease_seconds: int) -> None:
    """Prepare the relay's session. PostgreSQL ends it after `lease_seconds` without a statement."""
    connection.execute("SELECT set_config('idle_session_timeout', %s, false)", [f"{lease_seconds}s"])
    for statement in _SESSION:
        connection.execute(statement)


def undelivered(
    connection: Connection,
    *,
    source: str,
    limit: int = 500,
    except_ids: Collection[int] = (),
    except_topics: Collection[str] = (),
) -> list[Row]:
    """Return the next rows to send, in order, without rows set aside and the later rows of their keys.

    Ids are assigned before transactions commit, so no watermark is used: a row with a low id may appear late.
    """
    if not except_ids and not _is_any(connection):
        return []
    condition: LiteralString = ""
    if except_ids:
        condition += " AND id <> ALL(%(ids)s::bigint[])"
    if except_topics:
        condition += " AND topic <> ALL(%(topics)s)"
    values = {"ids": list(except_ids), "topics": list(except_topics), "limit": limit}
    return _rows(connection, condition, values, source=source)


def first_of_topic(connection: Connection, topic: str, *, source: str) -> list[Row]:
    """Return the first row of `topic` to send, in a list, or an empty list."""
    return _rows(connection, " AND topic = %(topic)s", {"topic": topic, "limit": 1}, source=source)


def mark_delivered(connection: Connection, ids: Sequence[int]) -> None:
    """Note that the broker has confirmed the rows."""
    connection.execute(
        "UPDATE outbox_outboxevent SET delivered_at = now() WHERE id = ANY(%s) AND delivered_at IS NULL", [list(ids)]
    )


def set_aside(connection: Connection, row_id: int, *, cause: str) -> None:
    """Note that the row can never be sent as it is. The later rows of its key wait."""
    connection.execute(
        "UPDATE outbox_outboxevent SET set_aside_at = now(), cause = %s WHERE id = %s AND delivered_at IS NULL",
        [cause[:MAX_CAUSE], row_id],
    )


def _is_any(connection: Connection) -> bool:
    """Return whether a row waits. A relay mostly finds none, and this costs much less than reading none."""
    row = connection.execute(_ANY, prepare=True).fetchone()
    return bool(row and row[0])


def _rows(connection: Connection, condition: LiteralString, values: dict[str, Any], *, source: str) -> list[Row]:
    # Not prepared: a plan made for an empty table would be kept for a backlog.
    found = connection.execute(_COLUMNS + condition + _NOT_BEHIND_A_ROW_SET_ASIDE, values, prepare=False)
    return [
        Row(
            id_,
            topic,
            key,
            Envelope(
                id=event_id, type=type_, source=source, key=key, sequence=sequence, occurred_at=occurred_at,
                value=value.encode(), traceparent=traceparent, request_id=request_id, required=is_required(type_),
            ),
        )
        for id_, topic, key, event_id, type_, sequence, occurred_at, value, traceparent, request_id in found.fetchall()
    ]  # fmt: skip
