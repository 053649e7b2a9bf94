"""Check what must be true after a death, from the service's database, the provider's database and the topics.

The SQL is written for these tests and not taken from the service, because a check that shares a mistake with the code
finds nothing.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from operator import itemgetter
from typing import Any
from uuid import UUID

import psycopg
from confluent_kafka import Message

from shared.cloudevents import decode
from shared.testing.kafka import consume_until
from tests.faults.world import World

# Work that is not finished. Every query returns no row once everything has ended.
UNDER_WAY = {
    "payments": "SELECT id, status FROM payments_payment WHERE status IN ('CREATED', 'REQUIRES_ACTION', 'PROCESSING')",
    "refunds": "SELECT id, status, attempts FROM payments_refund WHERE status IN ('CREATED', 'PROCESSING')",
    "holds": "SELECT reference FROM bookings_booking WHERE status = 'PENDING' AND hold_expires_at <= now()",
    "webhooks without an outcome": "SELECT event_id FROM payments_webhook WHERE outcome = ''",
    "events": "SELECT id, type FROM outbox_outboxevent WHERE delivered_at IS NULL",
}
UNDER_WAY_AT_PROVIDER = {
    "charges": "SELECT key, status FROM payment WHERE status NOT IN ('SUCCEEDED', 'FAILED')",
    "webhooks not received": "SELECT id, attempts FROM webhook WHERE heard_at IS NULL",
}

# Each query returns a row for every problem.
PROBLEMS = {
    "seats": """SELECT s.departure_id, s.held, s.sold, b.held, b.sold FROM bookings_seatinventory s
        LEFT JOIN (SELECT departure_id, sum(seats) FILTER (WHERE status = 'PENDING') AS held,
            sum(seats) FILTER (WHERE status = 'CONFIRMED') AS sold FROM bookings_booking GROUP BY departure_id) b USING (departure_id)
        WHERE (s.held, s.sold) <> (coalesce(b.held, 0), coalesce(b.sold, 0))""",
    "movements": """SELECT movement, sum(amount_minor), count(*) FROM payments_ledgerentry
        GROUP BY movement HAVING sum(amount_minor) <> 0 OR count(*) <> 2""",
    "money held": """SELECT held.sum, moved.sum FROM
        (SELECT coalesce(sum(amount_minor), 0) AS sum FROM payments_ledgerentry WHERE account = 'PROVIDER') held,
        (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM payments_payment WHERE status = 'SUCCEEDED')
            - (SELECT coalesce(sum(amount_minor), 0) FROM payments_refund WHERE status = 'SUCCEEDED') AS sum) moved
        WHERE held.sum <> moved.sum""",
    "captures": """SELECT p.id, p.status, l.amount_minor FROM payments_payment p
        FULL JOIN (SELECT * FROM payments_ledgerentry WHERE kind = 'CAPTURE' AND account = 'PROVIDER') l ON l.movement = p.id
        WHERE coalesce(p.status = 'SUCCEEDED', false) <> (l.id IS NOT NULL) OR l.amount_minor <> p.amount_minor""",
    "refunds": """SELECT r.id, r.status, l.amount_minor FROM payments_refund r
        FULL JOIN (SELECT * FROM payments_ledgerentry WHERE kind = 'REFUND' AND account = 'PROVIDER') l ON l.movement = r.id
        WHERE coalesce(r.status = 'SUCCEEDED', false) <> (l.id IS NOT NULL) OR -l.amount_minor <> r.amount_minor""",
    "paid for what is booked": """SELECT b.reference, b.status, b.total_minor, l.sum FROM bookings_booking b
        LEFT JOIN (SELECT booking_id, sum(amount_minor) FROM payments_ledgerentry WHERE account = 'PROVIDER' GROUP BY booking_id) l
        ON l.booking_id = b.id
        WHERE coalesce(l.sum, 0) <> CASE b.status WHEN 'CONFIRMED' THEN b.total_minor ELSE 0 END""",
    "keys": "SELECT quote_id FROM bookings_booking GROUP BY quote_id HAVING count(*) <> 1",
}


def under_way(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return all unfinished work by kind, {} if there is none."""
    with psycopg.connect(world.database) as database, closing(_provider(world)) as provider:
        unfinished = {
            **{name: database.execute(query).fetchall() for name, query in UNDER_WAY.items()},
            **{
                f"provider's {name}": provider.execute(query).fetchall()
                for name, query in UNDER_WAY_AT_PROVIDER.items()
            },
        }
    return {name: rows for name, rows in unfinished.items() if rows}


def problems(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the database that contradicts another row or the provider, by kind; {} if there is none."""
    with psycopg.connect(world.database) as database:
        rows_by_name = {name: database.execute(query).fetchall() for name, query in PROBLEMS.items()}
    service, provider = _money_in_service(world), _money_at_provider(world)
    rows_by_name["only in one record"] = [
        (key, service.get(key), provider.get(key)) for key in service.keys() ^ provider.keys()
    ]
    rows_by_name["different amounts"] = [
        (key, service[key], provider[key]) for key in service.keys() & provider.keys() if service[key] != provider[key]
    ]
    return {name: rows for name, rows in rows_by_name.items() if rows}


def money_of(world: World, travellers: Iterable[UUID]) -> dict[UUID, tuple[list[int], list[int]]]:
    """Return for each traveller the amounts that the provider charged, and those that it gave back."""
    at_provider = _money_at_provider(world)
    money: dict[UUID, tuple[list[int], list[int]]] = {traveller: ([], []) for traveller in travellers}
    with psycopg.connect(world.database) as database:
        rows = database.execute(
            "SELECT b.traveller_id, 0, p.id FROM payments_payment p JOIN bookings_booking b ON b.id = p.booking_id"
            " UNION ALL SELECT b.traveller_id, 1, r.id FROM payments_refund r JOIN bookings_booking b ON b.id = r.booking_id"
        ).fetchall()
    for traveller, side, key in rows:
        if traveller in money and str(key) in at_provider:
            money[traveller][side].append(at_provider[str(key)])
    return money


def history_of(world: World, traveller: UUID) -> list[str]:
    """Return the types of the history entries of the traveller's bookings, in order."""
    with psycopg.connect(world.database) as database:
        rows = database.execute(
            "SELECT e.type FROM bookings_bookingevent e JOIN bookings_booking b ON b.id = e.booking_id"
            " WHERE b.traveller_id = %s ORDER BY e.booking_id, e.sequence",
            [traveller],
        ).fetchall()
    return [row[0] for row in rows]


def delivered_in_order(world: World) -> bool:
    """Return whether every committed event is on its topic, with first occurrences in the order of each key."""
    with psycopg.connect(world.database) as database:
        rows = database.execute(
            "SELECT topic, key, event_id::text FROM outbox_outboxevent ORDER BY topic, key, id"
        ).fetchall()
    return all(
        _is_on_topic(topic, [(key, event) for name, key, event in rows if name == topic])
        for topic in {row[0] for row in rows}
    )


def _is_on_topic(topic: str, events: list[tuple[str, str]]) -> bool:
    def first_occurrences(records: list[Message]) -> list[tuple[str, str]]:
        envelopes = [decode(key=record.key(), value=record.value(), headers=record.headers()) for record in records]
        return list(dict.fromkeys((envelope.key, envelope.id) for envelope in envelopes))

    records = consume_until(topic, lambda records: set(first_occurrences(records)) >= set(events))
    return sorted(first_occurrences(records), key=itemgetter(0)) == sorted(events, key=itemgetter(0))


def _money_in_service(world: World) -> dict[str, int]:
    with psycopg.connect(world.database) as database:
        rows = database.execute(
            "SELECT id::text, amount_minor FROM payments_payment WHERE status = 'SUCCEEDED'"
            " UNION ALL SELECT id::text, amount_minor FROM payments_refund WHERE status = 'SUCCEEDED'"
        )
        return dict(rows.fetchall())


def _money_at_provider(world: World) -> dict[str, int]:
    with closing(_provider(world)) as provider:
        rows = provider.execute(
            "SELECT key, amount_minor FROM payment WHERE status = 'SUCCEEDED'"
            " UNION ALL SELECT key, amount_minor FROM refund WHERE status = 'SUCCEEDED'"
        )
        return dict(rows.fetchall())


def _provider(world: World) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{world.sandbox_database}?mode=ro", uri=True)
