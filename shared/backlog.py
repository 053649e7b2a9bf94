"""What waits in a service's database, and why: events to send, dead letters, brakes, mails and SMS.

The one set of these queries, for `status`, `doctor` and the health endpoints. It knows no Django, because the launcher
asks the databases over connections of its own. The queries read partial indexes, and no count goes beyond 100,000.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Run = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a statement and returns its rows."""

_TABLES: Final = """
    SELECT to_regclass('outbox_outboxevent') IS NOT NULL, to_regclass('inbox_deadletter') IS NOT NULL,
           to_regclass('notifications_notification') IS NOT NULL
"""
# An event that waits behind an event set aside is not late: staff must act first.
_OUTBOX: Final = """
    WITH aside AS (
        SELECT topic, key, min(id) AS id, count(*) AS events FROM outbox_outboxevent
        WHERE delivered_at IS NULL AND set_aside_at IS NOT NULL GROUP BY topic, key
    ), waiting AS (
        SELECT event.occurred_at, aside.id IS NOT NULL AS is_behind
        FROM (
            SELECT id, topic, key, occurred_at FROM outbox_outboxevent
            WHERE delivered_at IS NULL AND set_aside_at IS NULL ORDER BY id LIMIT 100000
        ) event
        LEFT JOIN aside ON aside.topic = event.topic AND aside.key = event.key AND aside.id < event.id
    )
    SELECT count(*) FILTER (WHERE NOT is_behind),
           coalesce(extract(epoch FROM now() - min(occurred_at) FILTER (WHERE NOT is_behind)), 0)::float8,
           (SELECT coalesce(sum(events), 0)::bigint FROM aside),
           count(*) FILTER (WHERE is_behind)
    FROM waiting
"""
_LETTERS: Final = """
    SELECT status, count(*) FROM (
        SELECT status FROM inbox_deadletter WHERE status IN ('DEAD', 'PARKED', 'BRAKED', 'RETRYING') LIMIT 100000
    ) letters GROUP BY status
"""
# Later lines of a cause may hold a row of a table, with what a person wrote.
_BRAKED: Final = """
    SELECT event_type, split_part(cause, chr(10), 1), extract(epoch FROM now() - since)::float8
    FROM inbox_brakedtype ORDER BY since LIMIT 20
"""
# Skipping may come long after an event was written, so a replay begins with the oldest event that Kafka keeps.
_SKIPPED: Final = """
    SELECT event_type, count, to_char((now() - interval '7 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           to_char((last_at + interval '1 second') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM inbox_skippedtype ORDER BY last_at DESC LIMIT 2000
"""
_UNSENT: Final = """
    SELECT channel, count(*), extract(epoch FROM now() - min(created_at))::float8 FROM (
        SELECT channel, created_at FROM notifications_notification
        WHERE status IN ('PENDING', 'SENDING') ORDER BY next_attempt_at LIMIT 100000
    ) unsent GROUP BY channel
"""
_PAUSED: Final = """
    SELECT channel, split_part(cause, chr(10), 1), extract(epoch FROM now() - since)::float8
    FROM notifications_pausedchannel
"""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Events that Kafka does not have yet.

    `waiting` and `oldest_seconds` leave out those that were set aside, and the `behind` events of their keys.
    """

    waiting: int
    oldest_seconds: float
    set_aside: int
    behind: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """An event type that is braked or a channel that is paused: since how long, and why."""

    name: str
    cause: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """An event type that was unknown when `count` of its events were read. A replay covers `first` to `last` (UTC)."""

    type: str
    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """Events that did not take effect: open dead letters by status, braked types and skipped types."""

    dead: int
    parked: int
    braked: int
    retrying: int
    braked_types: tuple[Stopped, ...]
    skipped_types: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """The mails or SMS that are not sent yet, and the age of the oldest."""

    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Messages:
    """Mails and SMS that are not sent yet, by channel (EMAIL, SMS), and the channels that are paused."""

    unsent: Mapping[str, Unsent] = field(default_factory=dict)
    paused: tuple[Stopped, ...] = ()


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a service's database. A part is None if the service has no such tables."""

    outbox: Outbox | None
    inbox: Inbox | None
    messages: Messages | None

    def counts(self) -> dict[str, Any]:
        """Return numbers only: no event type, cause or id, so everybody may read it."""
        shown: dict[str, Any] = {}
        if self.outbox is not None:
            shown["outbox"] = {
                "waiting": self.outbox.waiting,
                "oldest_seconds": round(self.outbox.oldest_seconds, 3),
                "set_aside": self.outbox.set_aside,
                "behind_set_aside": self.outbox.behind,
            }
        if self.inbox is not None:
            shown["inbox"] = {
                "dead": self.inbox.dead,
                "parked": self.inbox.parked,
                "braked": self.inbox.braked,
                "retrying": self.inbox.retrying,
                "braked_types": len(self.inbox.braked_types),
                "skipped_types": len(self.inbox.skipped_types),
                "skipped_events": sum(skipped.count for skipped in self.inbox.skipped_types),
            }
        if self.messages is not None:
            shown["messages"] = {
                **{
                    name.lower(): {"unsent": unsent.count, "oldest_seconds": round(unsent.oldest_seconds, 3)}
                    for name, unsent in self.messages.unsent.items()
                },
                "paused_channels": len(self.messages.paused),
            }
        return shown


def read(run: Run) -> Backlog:
    """Return what waits in the database on which `run` runs statements. Raises what `run` raises."""
    ((has_outbox, has_inbox, has_messages),) = run(_TABLES)
    return Backlog(
        outbox=Outbox(*run(_OUTBOX)[0]) if has_outbox else None,
        inbox=_inbox(run) if has_inbox else None,
        messages=_messages(run) if has_messages else None,
    )


def _inbox(run: Run) -> Inbox:
    letters: dict[str, int] = dict(run(_LETTERS))
    return Inbox(
        dead=letters.get("DEAD", 0),
        parked=letters.get("PARKED", 0),
        braked=letters.get("BRAKED", 0),
        retrying=letters.get("RETRYING", 0),
        braked_types=tuple(Stopped(*row) for row in run(_BRAKED)),
        skipped_types=tuple(Skipped(*row) for row in run(_SKIPPED)),
    )


def _messages(run: Run) -> Messages:
    unsent = {"EMAIL": Unsent(0, 0.0), "SMS": Unsent(0, 0.0)}
    unsent |= {channel: Unsent(count, seconds) for channel, count, seconds in run(_UNSENT)}
    return Messages(unsent=unsent, paused=tuple(Stopped(*row) for row in run(_PAUSED)))
