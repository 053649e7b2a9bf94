"""How often a booking asks PostgreSQL, and when it locks the row that many bookings wait for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.pq import Trace

from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def wire(path: Path) -> Iterator[list[str]]:
    """Yield a list that holds, after the body, libpq's trace of the connection: one line for each message."""
    lines: list[str] = []
    with path.open("w+") as trace:
        pgconn = connection.connection.pgconn
        pgconn.trace(trace.fileno())
        pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield lines
        finally:
            pgconn.untrace()
        trace.seek(0)
        lines.extend(trace.read().splitlines())


def round_trips(lines: list[str]) -> int:
    """Return how often PostgreSQL (B) answered after the service (F) had sent something."""
    senders = "".join(line[0] for line in lines)
    return len(re.findall("FB", senders))


def test_a_booking_takes_seventeen_statements_in_nine_round_trips(
    buyer: Buyer, destinations: Destinations, tmp_path: Path
) -> None:
    """The UPDATE of the inventory row is the last statement before the commit: many transactions wait for that row.

    Seen failing (17 round trips) without one_round_trip.
    """
    departure = destinations.publish()
    buyer.book(departure)  # prepares the statements
    quote = buyer.quote(departure)

    with CaptureQueriesContext(connection) as captured, wire(tmp_path / "trace") as lines:
        buyer.book_quote(quote)

    statements = [query["sql"] for query in captured]
    assert len(statements) == 17
    assert statements[statements.index("COMMIT") - 1].startswith("UPDATE bookings_seatinventory SET held")
    assert round_trips(lines) == 9


def test_a_quote_takes_seven_statements(buyer: Buyer, destinations: Destinations) -> None:
    """Whether the departure is known, whether somebody waits for it, whether seats are free; then one INSERT."""
    departure = destinations.publish()
    buyer.quote(departure)  # stores the departure

    with CaptureQueriesContext(connection) as captured:
        buyer.quote(departure)

    assert len(captured) == 7
    assert captured[-2]["sql"].startswith('INSERT INTO "bookings_quote"')
