"""The state of the outbox: the waiting events, and whether a relay is active."""

from dataclasses import dataclass

from django.db import connection

from shared.db import lock_key


@dataclass(frozen=True, slots=True)
class Waiting:
    """The undelivered events of a topic. `oldest_seconds` is the age of the oldest by the database's time."""

    topic: str
    waiting: int
    oldest_seconds: int


@dataclass(frozen=True, slots=True)
class State:
    """The outbox at one instant."""

    waiting: tuple[Waiting, ...]
    delivered: int
    relay_is_active: bool


def state() -> State:
    """Return the waiting events, the number of delivered rows, and whether a relay is active, so holds its lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT topic, count(*), extract(epoch FROM clock_timestamp() - min(occurred_at))::bigint"
            " FROM outbox_outboxevent"
            " WHERE delivered_at IS NULL GROUP BY topic ORDER BY topic"
        )
        waiting = tuple(Waiting(*row) for row in cursor.fetchall())
        cursor.execute("SELECT count(*) FROM outbox_outboxevent WHERE delivered_at IS NOT NULL")
        delivered = cursor.fetchone()[0]
        key = lock_key("outbox-relay") & 0xFFFF_FFFF_FFFF_FFFF
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = %s AND objid::bigint = %s)",
            [key >> 32, key & 0xFFFF_FFFF],
        )
        return State(waiting=waiting, delivered=delivered, relay_is_active=cursor.fetchone()[0])
