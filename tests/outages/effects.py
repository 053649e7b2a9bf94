"""What must be true once everything has come to rest: each effect of a confirmed booking, once.

It is read from the databases, the topics and the Maildir. The SQL is written for these tests: a
check that shares a mistake with the code finds nothing.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Collection
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import psycopg

from shared.cloudevents import decode
from shared.kafka.records import headers_of
from shared.testing.kafka import everything_on
from tests.journeys.api import address

BOOKINGS = "travel.bookings.booking"
UNSENT = "SELECT count(*) FROM outbox_outboxevent WHERE delivered_at IS NULL"
OPEN_LETTERS = "SELECT count(*) FROM inbox_deadletter WHERE status NOT IN ('RETRIED', 'DISCARDED')"
UNDELIVERED = "SELECT count(*) FROM notifications_notification WHERE status IN ('PENDING', 'SENDING')"


def rows(service: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return what a query of the service's database finds."""
    with psycopg.connect(os.environ[f"{service.upper()}_DATABASE_URL"]) as connection:
        return connection.execute(query, parameters).fetchall()


def count(service: str, query: str) -> int:
    """Return the one number that a query of the service's database finds."""
    return int(rows(service, query)[0][0])


def unsent() -> int:
    """Return how many events have not left the outboxes of bookings and notifications."""
    return count("bookings", UNSENT) + count("notifications", UNSENT)


def unfinished(references: Collection[str]) -> dict[str, Any]:
    """Return what of these bookings is still under way, {} if nothing is."""
    invoiced = rows(
        "notifications", "SELECT count(*) FROM billing_invoice WHERE kind = 'INVOICE' AND booking_reference = ANY(%s)",
        list(references),
    )[0][0]  # fmt: skip
    left = {
        "events not sent": unsent(),
        "bookings without an invoice": len(references) - invoiced,
        "notifications not delivered": count("notifications", UNDELIVERED),
    }
    return {name: number for name, number in left.items() if number}


def problems(references: Collection[str]) -> dict[str, Any]:
    """Return every effect that is missing or doubled, by kind; {} if each happened once."""
    wanted = set(references)
    found = {
        "dead letters": count("notifications", OPEN_LETTERS),
        "invoices": _not_once(wanted, _invoices()),
        "numbers": _gaps(),
        "confirmations": {name: ids for name, ids in _confirmation_ids(wanted).items() if len(ids) != 1},
        "bookings without a confirmation": sorted(wanted - _confirmation_ids(wanted).keys()),
        "SMS": {name: times for name, times in _confirmation_sms(wanted).items() if times > 1},
        "order": _out_of_order(wanted),
    }
    return {name: what for name, what in found.items() if what}


def _not_once(wanted: set[str], counted: Counter[str]) -> dict[str, int]:
    return {name: counted[name] for name in wanted if counted[name] != 1}


def _invoices() -> Counter[str]:
    found = rows("notifications", "SELECT booking_reference FROM billing_invoice WHERE kind = 'INVOICE'")
    return Counter(reference for (reference,) in found)


def _gaps() -> list[tuple[Any, ...]]:
    """Return each series whose numbers are not 1, 2, 3 … up to its counter."""
    return rows(
        "notifications",
        """SELECT s.name, s.last, count(i.number), count(DISTINCT i.number), max(right(i.number, 6)::int)
           FROM billing_numberseries s LEFT JOIN billing_invoice i ON i.number LIKE s.name || '-%%'
           GROUP BY s.name, s.last
           HAVING count(DISTINCT i.number) <> s.last OR max(right(i.number, 6)::int) <> s.last""",
    )


def _confirmation_ids(wanted: set[str]) -> dict[str, set[str]]:
    """Return the Message-IDs of each booking's confirmations. The server may accept one mail twice under one id."""
    kinds = dict(
        rows("notifications", "SELECT id::text, booking_reference FROM notifications_notification"
             " WHERE kind = 'booking_confirmed' AND channel = 'EMAIL'")
    )  # fmt: skip
    found: dict[str, set[str]] = defaultdict(set)
    for path in (Path(os.environ.get("MAILDIR") or Path(address("TRAVEL_VAR")) / "mail") / "new").glob("*"):
        with path.open("rb") as file:
            message_id = str(BytesHeaderParser().parse(file)["Message-ID"])
        reference = kinds.get(message_id.strip().strip("<>").partition("@")[0], "")
        if reference in wanted:
            found[reference].add(message_id)
    return found


def _confirmation_sms(wanted: set[str]) -> dict[str, int]:
    """Return how often the provider was given each booking's confirmation. It may have sent whatever it was given."""
    given = rows(
        "notifications",
        """SELECT n.booking_reference, count(*) FROM notifications_notification n
           JOIN notifications_deliveryattempt a ON a.notification_id = n.id
           WHERE n.kind = 'booking_confirmed' AND n.channel = 'SMS'
             AND (a.outcome IN ('HANDED', 'SENT') OR a.detail LIKE 'the worker was lost%%')
           GROUP BY n.booking_reference""",
    )
    return {reference: times for reference, times in given if reference in wanted}


def _out_of_order(wanted: set[str]) -> dict[str, list[int]]:
    """Return the sequences of each booking whose first occurrences on the topic are not 1, 2, 3 … up to its last."""
    written = rows("bookings", "SELECT id::text, reference, sequence FROM bookings_booking")
    bookings = {key: (reference, last) for key, reference, last in written if reference in wanted}
    found: dict[str, list[int]] = {key: [] for key in bookings}
    for record in everything_on(BOOKINGS):
        envelope = decode(key=record.key(), value=record.value(), headers=headers_of(record))
        if envelope.key in found and envelope.sequence not in found[envelope.key]:
            found[envelope.key].append(envelope.sequence)
    return {
        reference: found[key] for key, (reference, last) in bookings.items() if found[key] != list(range(1, last + 1))
    }
