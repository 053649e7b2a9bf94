"""Print the query plans of a booking's life: `python -m benchmarks._in_django _plans QUOTE PERSON`.

Each plan follows its query.
"""

import sys
from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks._booking_worker import book
from benchmarks._stage import TRAVELLER, as_uuid
from bookings_service.bookings import clock, selectors, services
from bookings_service.bookings.contracts import BookingFilter
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.payment.settle import settle_payment
from bookings_service.payments.domain import PaymentStatus
from bookings_service.payments.models import Payment
from bookings_service.payments.providers.base import ProviderResult
from shared.auth import Traveller
from shared.money import Money

PLANNED = ("SELECT", "UPDATE")


def pay(number: int) -> None:
    """Settle a payment of the booking made from a quote."""
    booking = Booking.objects.get(quote_id=as_uuid(number))
    payment = Payment.objects.create(
        booking=booking, amount_minor=booking.total_minor, currency="EUR", status=PaymentStatus.PROCESSING, provider="sandbox",
        method="pm_ok", idempotency_key="k", asked_at=booking.created_at, created_at=booking.created_at,
    )  # fmt: skip
    settle_payment(
        payment_id=payment.id,
        result=ProviderResult(PaymentStatus.SUCCEEDED, Money.from_minor(booking.total_minor, "EUR")),
    )


def cancel(number: int) -> None:
    """Cancel the booking made from a quote."""
    booking = Booking.objects.get(quote_id=as_uuid(number))
    traveller = Traveller(UUID(as_uuid(TRAVELLER + number)), UUID(int=1))
    quote = services.quote_cancellation(reference=booking.reference, passenger_ids=(), traveller=traveller)
    services.cancel_booking(cancellation_quote_id=quote.id, traveller=traveller)


def listed(person: int) -> None:
    """Read the first page of a traveller's bookings, with everything that the page shows."""
    wanted = BookingFilter(traveller_id=UUID(as_uuid(person)))
    selectors.bookings_page(wanted=wanted, order=selectors.BookingOrder.NEWEST, first=20, after="")


def main() -> None:
    """Do each thing once, and print the plan of each of its queries."""
    quote, person = int(sys.argv[1]), int(sys.argv[2])
    life: dict[str, Callable[[], object]] = {
        "create a booking": lambda: book(quote),
        "pay it": lambda: pay(quote),
        "list a traveller's bookings": lambda: listed(person),
        "cancel it": lambda: cancel(quote),
        "the clock: when is the next job of seats due": lambda: clock.seconds_to_next(clock.DATABASE_LOOP),
        "the clock: when is the next call to the provider due": lambda: clock.seconds_to_next(clock.PROVIDER_LOOP),
        "the clock: end holds": services.expire_holds,
        "the clock: publish seats": services.publish_inventory,
        "the clock: offers": services.expire_offers,
        "the clock: offers that were taken": services.expire_taken_offers,
        "the clock: cancelled departures": services.cancel_bookings_of_cancelled_departures,
    }
    for name, act in life.items():
        with CaptureQueriesContext(connection) as captured:
            act()
        print(f"=== {name}\n")
        for sql in (query["sql"].strip() for query in captured.captured_queries):
            if sql.startswith(PLANNED) and "advisory" not in sql and "pg_notify" not in sql:
                print(explained(sql), "\n")


def explained(sql: str) -> str:
    """Return the shortened statement with its plan. A statement that writes is planned but not executed again."""
    options = "ANALYZE, BUFFERS, COSTS OFF, SUMMARY OFF" if sql.startswith("SELECT") else "COSTS OFF"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {sql.replace('%', '%%')}")
        plan = "\n".join(f"    {row[0]}" for row in cursor.fetchall())
        transaction.set_rollback(True)
    return f"{' '.join(sql.split())[:160]}\n{plan}"


if __name__ == "__main__":
    main()
