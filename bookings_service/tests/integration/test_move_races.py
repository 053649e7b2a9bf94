"""A move of a departure against booking, paying, cancelling and accepting at the same moment.

Each test lets the second transaction begin at the worst place of the first one. A lock makes it wait there. Each
docstring says with which guard taken out the test was seen failing. Without a booking's lock, the unique sequence of
the history is the second guard: one of the transactions fails with an IntegrityError.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection, connections

from bookings_service.bookings import clock, selectors, services
from bookings_service.bookings.contracts import BookingView, Seats
from bookings_service.bookings.models import Booking
from bookings_service.bookings.refusals import NotChanged, QuotedDatesChanged, QuoteOutdated
from bookings_service.bookings.services.booking import create
from bookings_service.bookings.services.cancellation import carry_out
from bookings_service.bookings.services.departure_change import accept, follow
from bookings_service.bookings.services.payment import confirm
from bookings_service.bookings.services.seats import inventory
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.move import learn, move, move_in_catalogue
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

DAY = timedelta(days=1)
Meanwhile = Callable[[Callable[[], Any]], Future[Any]]


@pytest.fixture
def meanwhile() -> Iterator[Meanwhile]:
    """Start work in another connection. Return when it has ended, or waits for a lock of this process."""
    with ThreadPoolExecutor(1) as pool:

        def start(work: Callable[[], Any]) -> Future[Any]:
            pid: list[int] = []

            def run() -> Any:
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_backend_pid()")
                        pid.append(cursor.fetchone()[0])
                    return work()
                finally:
                    connections.close_all()

            future = pool.submit(run)
            with ThreadPoolExecutor(1) as watcher:  # its connection reads while this thread's is in a transaction
                watcher.submit(lambda: eventually(lambda: future.done() or _waits(pid), 20.0)).result()
            return future

        yield start


def _waits(pid: list[int]) -> bool:
    if not pid:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", pid)
            return bool(cursor.fetchone()[0])
    finally:
        connections.close_all()


@contextmanager
def before(where: Any, name: str, work: Callable[[], Any]) -> Iterator[list[Future[Any]]]:
    """Run `work` once, before the function `name` of the module is called there. Yield the list with its result."""
    original, results = getattr(where, name), []

    def called(*given: Any, **named: Any) -> Any:
        if not results:
            results.append(work())
        return original(*given, **named)

    with patch.object(where, name, called):
        yield results


@pytest.fixture
def departure(destinations: Destinations) -> UUID:
    return destinations.publish(starts_in=20 * DAY)


def now_of(booking: BookingView) -> BookingView:
    return selectors.booking_of_any_traveller(booking_id=booking.id)


def test_a_departure_that_is_moved_while_it_is_booked_is_not_sold_with_earlier_dates(
    buyer: Buyer, destinations: Destinations, departure: UUID, seats: Callable[[UUID], Seats], meanwhile: Meanwhile
) -> None:
    """The move commits after the quote was checked and before the seats are held.

    Seen failing without the dates in `inventory._HOLD`.
    """
    quote = buyer.quote(departure)
    move_in_catalogue(destinations, departure, DAY)

    with before(create, "_take_seats", lambda: meanwhile(lambda: learn(departure))), pytest.raises(QuotedDatesChanged):
        buyer.book_quote(quote)

    assert (seats(departure).held, Booking.objects.count()) == (0, 0)


@pytest.mark.parametrize("of_an_offer", [False, True])
def test_a_departure_that_is_moved_before_its_booking_commits_moves_the_booking(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations, meanwhile: Meanwhile, of_an_offer: bool
) -> None:
    """The move is stored, and the clock runs, after the seats were taken and before the booking commits.

    With an offer of the waiting list, seen failing without FOR SHARE in `inventory._OPEN_AS_QUOTED`: the clock saw no
    booking and cleared the mark, and the booking kept the earlier dates.
    """
    buyer, other = buyers(2)
    departure = destinations.publish(capacity=2)
    entry = None
    if of_an_offer:
        booking = other.book(departure)
        entry = buyer.join(departure)
        other.cancel(booking)
    quote = buyer.quote(departure, entry=entry)
    move_in_catalogue(destinations, departure, DAY)

    def store_and_run_the_clock() -> None:
        learn(departure)
        services.move_bookings_of_moved_departures()

    with before(create, "failpoint", lambda: meanwhile(store_and_run_the_clock)) as results:
        booked = buyer.book_quote(quote)
    results[0].result(20)
    clock.run_jobs(clock.DATABASE_LOOP)

    assert now_of(booked).starts_at == booked.starts_at + DAY
    assert now_of(booked).change is not None


def test_a_second_move_while_the_mark_is_cleared_is_not_lost(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """Seen failing with a plain read instead of `inventory.lock` in `_clear_mark`: the second move lost its mark."""
    booking = buyer.book(departure)
    move_in_catalogue(destinations, departure, DAY)
    learn(departure)
    move_in_catalogue(destinations, departure, DAY)

    with before(inventory, "clear_moved", lambda: meanwhile(lambda: learn(departure))) as results:
        services.move_bookings_of_moved_departures()
    results[0].result(20)
    clock.run_jobs(clock.DATABASE_LOOP)

    assert now_of(booking).starts_at == booking.starts_at + 2 * DAY


def test_a_booking_that_is_paid_while_its_departure_is_moved_is_moved_afterwards(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """The clock skips the booking that is being confirmed, and keeps the mark.

    Seen failing without `select_for_update` in `_move`.
    """
    booking = buyer.book(departure)
    move_in_catalogue(destinations, departure, DAY)
    learn(departure)

    with before(confirm, "transition", lambda: meanwhile(services.move_bookings_of_moved_departures)) as results:
        _, paid = buyer.pay(booking)
    assert (results[0].result(20), paid.status, paid.change) == (0, "CONFIRMED", None)
    clock.run_jobs(clock.DATABASE_LOOP)

    after = now_of(booking)
    assert (after.status, after.starts_at, after.sequence) == ("CONFIRMED", booking.starts_at + DAY, paid.sequence + 1)


def test_a_booking_that_is_cancelled_while_its_departure_is_moved_stays_cancelled(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """Seen failing without `select_for_update` in `_move`, and in `carry_out`."""
    _, booking = buyer.pay(buyer.book(departure))
    quote = services.quote_cancellation(reference=booking.reference, passenger_ids=(), traveller=buyer.who)
    move_in_catalogue(destinations, departure, DAY)
    learn(departure)

    with before(carry_out, "transition", lambda: meanwhile(services.move_bookings_of_moved_departures)) as results:
        services.cancel_booking(cancellation_quote_id=quote.id, traveller=buyer.who)
    assert results[0].result(20) == 0
    clock.run_jobs(clock.DATABASE_LOOP)

    assert (now_of(booking).status, now_of(booking).change) == ("CANCELLED", None)


def test_a_cancellation_that_waits_for_a_move_is_outdated(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """It was quoted at 50 %, and after the move everything is refunded.

    Seen failing without `select_for_update` in `_move` and in `carry_out`, and without the change in `stands_as_quoted`.
    """
    _, booking = buyer.pay(buyer.book(departure))
    quote = services.quote_cancellation(reference=booking.reference, passenger_ids=(), traveller=buyer.who)
    move_in_catalogue(destinations, departure, DAY)
    learn(departure)

    def cancel() -> None:
        services.cancel_booking(cancellation_quote_id=quote.id, traveller=buyer.who)

    with before(follow, "save_with_history", lambda: meanwhile(cancel)) as results:
        assert services.move_bookings_of_moved_departures() == 1

    with pytest.raises(QuoteOutdated):
        results[0].result(20)
    assert now_of(booking).status == "CONFIRMED"


def test_of_acceptance_and_free_cancellation_one_happens(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """Seen failing without `select_for_update` in `accept_change`, and in `carry_out`."""
    _, booking = buyer.pay(buyer.book(departure))
    move(destinations, departure, DAY)

    def accepted() -> BookingView:
        return services.accept_change(reference=booking.reference, traveller=buyer.who)

    def cancelled() -> BookingView:
        quote = services.quote_cancellation(reference=booking.reference, passenger_ids=(), traveller=buyer.who)
        with before(carry_out, "transition", lambda: meanwhile(accepted)) as results:
            services.cancel_booking(cancellation_quote_id=quote.id, traveller=buyer.who)
        return results[0].result(20)

    with pytest.raises(NotChanged):
        cancelled()
    after = now_of(booking)
    assert after.change is not None
    assert (after.status, after.change.accepted_at) == ("CANCELLED", None)


def test_a_free_cancellation_that_waits_for_the_acceptance_is_outdated(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """Seen failing without `select_for_update` in `accept_change` and in `carry_out`, and without the acceptance in
    `stands_as_quoted`.
    """
    _, booking = buyer.pay(buyer.book(departure))
    move(destinations, departure, DAY)
    quote = services.quote_cancellation(reference=booking.reference, passenger_ids=(), traveller=buyer.who)

    def cancel() -> None:
        services.cancel_booking(cancellation_quote_id=quote.id, traveller=buyer.who)

    with before(accept, "save_with_history", lambda: meanwhile(cancel)) as results:
        services.accept_change(reference=booking.reference, traveller=buyer.who)

    with pytest.raises(QuoteOutdated):
        results[0].result(20)
    assert now_of(booking).status == "CONFIRMED"


def test_a_move_while_an_earlier_move_is_accepted_asks_again(
    buyer: Buyer, destinations: Destinations, departure: UUID, meanwhile: Meanwhile
) -> None:
    """The clock skips the booking, and moves it after the acceptance. The accepted dates are the new baseline.

    Seen failing without `select_for_update` in `_move`.
    """
    _, booking = buyer.pay(buyer.book(departure))
    move(destinations, departure, DAY)
    move_in_catalogue(destinations, departure, DAY)
    learn(departure)

    with before(accept, "save_with_history", lambda: meanwhile(services.move_bookings_of_moved_departures)) as results:
        accepted = services.accept_change(reference=booking.reference, traveller=buyer.who)
    assert results[0].result(20) == 0
    clock.run_jobs(clock.DATABASE_LOOP)

    after = now_of(booking)
    assert (after.starts_at, after.sequence) == (booking.starts_at + 2 * DAY, accepted.sequence + 1)
    assert after.change is not None
    assert (after.change.previous_starts_at, after.change.accepted_at) == (booking.starts_at + DAY, None)
