"""Print what a traveller's reads of bookings cost: `python -m benchmarks._in_django _reads PERSON`.

First a line of the result's table for each read, then the plan of each of its statements.
"""

import sys
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks._plans import explained
from benchmarks._stage import as_uuid
from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingFilter
from bookings_service.bookings.rpc.mappers import booking_to_proto, event_to_proto, payment_to_proto

REPEATS: Final = 200
BATCHES: Final = 10
TWENTY: Final = 20


def reads_of(person: UUID) -> dict[str, Callable[[], object]]:
    """Return what is measured: each read with its messages, as an RPC answers it."""
    wanted, newest = BookingFilter(traveller_id=person), selectors.BookingOrder.NEWEST
    page = selectors.bookings_page(wanted=wanted, order=newest, first=TWENTY, after="").rows
    ids, payments = [booking.id for booking in page], [booking.payments[0].id for booking in page]
    return {
        "a page of 20 bookings": lambda: [
            booking_to_proto(row)
            for row in selectors.bookings_page(wanted=wanted, order=newest, first=TWENTY, after="").rows
        ],
        "their number": lambda: selectors.count_bookings(wanted=wanted),
        "20 bookings by id": lambda: [
            booking_to_proto(row) for row in selectors.bookings_by_id(ids=ids, traveller_id=person)
        ],
        "a booking": lambda: booking_to_proto(selectors.booking_of_any_traveller(booking_id=ids[0])),
        "20 payments": lambda: [
            payment_to_proto(row) for row in selectors.payments_by_id(ids=payments, traveller_id=person)
        ],
        "the history of 20 bookings": lambda: [
            event_to_proto(row)
            for rows in selectors.history(booking_ids=ids, traveller_id=person).values()
            for row in rows
        ],
        "the free seats of 20 departures": lambda: selectors.availability(
            departure_ids=[booking.departure_id for booking in page]
        ),
    }


def milliseconds(read: Callable[[], object]) -> float:
    """Return the CPU time of this process for one read: the least of several batches, without the noise of others."""
    read()
    batches = []
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(REPEATS // BATCHES):
            read()
        batches.append(time.process_time() - began)
    return min(batches) / (REPEATS // BATCHES) * 1_000


def main() -> None:
    """Measure each read, then print its plans."""
    reads = reads_of(UUID(as_uuid(int(sys.argv[1]))))
    for name, read in reads.items():
        print(f"| {name} | {milliseconds(read):.2f} |")
    for name, read in reads.items():
        with CaptureQueriesContext(connection) as captured:
            read()
        print(f"\n=== {name}\n")
        for query in captured.captured_queries:
            print(explained(query["sql"].strip()))


if __name__ == "__main__":
    main()
