"""The state of the outbox: the waiting events, the events set aside, the kept rows, and whether a relay is active."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from shared.db import lock_key


@dataclass(frozen=True, slots=True)
class Waiting:
    """The events of a topic that the relay may send. `oldest_seconds` is the age by the database's time."""

    topic: str
    waiting: int
    oldest_seconds: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """An event that can never be sent as it is. `behind` later events of its key wait for it."""

    id: int
    type: str
    topic: str
    key: str
    since: datetime
    cause: str
    behind: int


@dataclass(frozen=True, slots=True)
class State:
    """The outbox at one instant. `overdue` delivered rows are an hour or more older than the retention."""

    waiting: tuple[Waiting, ...]
    set_aside: tuple[SetAside, ...]
    delivered: int
    overdue: int
    relay_is_active: bool


_WAITING: Final = """
    SELECT topic, count(*), extract(epoch FROM clock_timestamp() - min(occurred_at))::bigint
    FROM outbox_outboxevent event WHERE delivered_at IS NULL AND set_aside_at IS NULL
    AND NOT EXISTS (SELECT FROM outbox_outboxevent earlier
        WHERE earlier.delivered_at IS NULL AND earlier.set_aside_at IS NOT NULL
        AND earlier.topic = event.topic AND earlier.key = event.key AND earlier.id < event.id)
    GROUP BY topic ORDER BY topic
"""
_SET_ASIDE: Final = """
    SELECT id, type, topic, key, set_aside_at, cause,
        (SELECT count(*) FROM outbox_outboxevent later WHERE later.delivered_at IS NULL
            AND later.topic = event.topic AND later.key = event.key AND later.id > event.id)
    FROM outbox_outboxevent event WHERE delivered_at IS NULL AND set_aside_at IS NOT NULL ORDER BY id
"""
_KEPT: Final = """
    SELECT count(*), count(*) FILTER (WHERE delivered_at < clock_timestamp() - make_interval(secs => %s, hours => 1))
    FROM outbox_outboxevent WHERE delivered_at IS NOT NULL
"""
_RELAY: Final = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = %s AND objid::bigint = %s)
"""


def state(*, retention: timedelta) -> State:
    """Return the state of the outbox. A relay is active if it holds its lock."""
    key = lock_key("outbox-relay") & 0xFFFF_FFFF_FFFF_FFFF
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        waiting = tuple(Waiting(*row) for row in cursor.fetchall())
        cursor.execute(_KEPT, [retention.total_seconds()])
        delivered, overdue = cursor.fetchone()
        cursor.execute(_RELAY, [key >> 32, key & 0xFFFF_FFFF])
        is_active = cursor.fetchone()[0]
    return State(
        waiting=waiting, set_aside=set_aside(), delivered=delivered, overdue=overdue, relay_is_active=is_active
    )


def set_aside() -> tuple[SetAside, ...]:
    """Return the events that are set aside, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_SET_ASIDE)
        return tuple(SetAside(*row) for row in cursor.fetchall())
