"""Small races for seats in the normal suite: one `race` each, with an exact result.

Only they show that the CHECK constraint is enough without the filter, and that seats of a closed departure cannot be
held. `concurrency/test_last_seats.py` proves the same promise at scale: hundreds of buyers who pay, random pauses,
retries.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from bookings_service.bookings.contracts import BookingView, Seats
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.bookings.refusals import DepartureClosed, SeatsUnavailable
from bookings_service.bookings.services.booking import create
from bookings_service.bookings.services.seats import inventory
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from shared.outbox.models import OutboxEvent
from shared.testing import race

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def without_filter() -> Iterator[None]:
    """Hold seats without asking whether they are free."""

    def hold(*, departure_id: UUID, seats: int, dates: object = None) -> None:
        SeatInventory.objects.filter(departure_id=departure_id).update(held=F("held") + seats)

    with patch.object(inventory, "hold", hold), patch.object(create, "check_free_seats", lambda quote: None):
        yield


def buy_at_once(
    destinations: Destinations, buyers: list[Buyer], *, capacity: int, seats: int
) -> tuple[UUID, list[object]]:
    """Let all buyers book their quotes at the same time. Return the departure and the outcome of each."""
    departure = destinations.publish(capacity=capacity)
    quotes = [(buyer, buyer.quote(departure, adults=seats)) for buyer in buyers]
    return departure, race([lambda b=buyer, q=quote: b.book_quote(q) for buyer, quote in quotes])


def test_last_seats_are_sold_once(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], seats: Callable[[UUID], Seats]
) -> None:
    """Eight buyers of two seats each race for the last six.

    Seen failing (16 held) without inventory.hold's filter and the CHECK.
    """
    departure, outcomes = buy_at_once(destinations, buyers(8), capacity=6, seats=2)

    assert Counter(map(type, outcomes)) == {BookingView: 3, SeatsUnavailable: 5}
    assert seats(departure) == Seats(capacity=6, held=6, sold=0)
    assert Booking.objects.count() == 3
    assert OutboxEvent.objects.filter(type="travel.bookings.booking.created.v1").count() == 3


def test_control_seats_are_oversold_without_filter_and_check(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]]
) -> None:
    """The race is real: the same race without its two guards sells more seats than there are."""

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE bookings_seatinventory DROP CONSTRAINT seats_never_oversold")
    try:
        with without_filter():
            departure, outcomes = buy_at_once(destinations, buyers(8), capacity=6, seats=2)
        held = SeatInventory.objects.get(departure_id=departure).held
    finally:
        SeatInventory.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE bookings_seatinventory ADD CONSTRAINT seats_never_oversold CHECK (capacity >= held + sold)"
            )

    assert Counter(map(type, outcomes)) == {BookingView: 8}
    assert held == 16


def test_the_check_constraint_prevents_overselling_without_the_filter(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], seats: Callable[[UUID], Seats]
) -> None:
    """Without the filter, the constraint still refuses, and the whole booking is rolled back."""

    with without_filter():
        departure, outcomes = buy_at_once(destinations, buyers(4), capacity=4, seats=2)

    assert Counter(map(type, outcomes)) == {BookingView: 2, IntegrityError: 2}
    assert seats(departure) == Seats(capacity=4, held=4, sold=0)
    assert Booking.objects.count() == 2


def test_fifty_travellers_for_three_seats(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], seats: Callable[[UUID], Seats]
) -> None:
    """Three seats are held, and 47 buyers are refused with no free seats."""
    departure, outcomes = buy_at_once(destinations, buyers(50), capacity=3, seats=1)

    assert Counter(map(type, outcomes)) == {BookingView: 3, SeatsUnavailable: 47}
    assert {refusal.params["seatsLeft"] for refusal in outcomes if isinstance(refusal, SeatsUnavailable)} == {0}
    assert seats(departure) == Seats(capacity=3, held=3, sold=0)


@pytest.mark.parametrize("column", ["held", "sold", "capacity"])
def test_counters_are_never_negative(destinations: Destinations, buyer: Buyer, column: str) -> None:
    departure = destinations.publish(capacity=0 if column == "capacity" else 5)
    SeatInventory.objects.create(departure_id=departure, version=1, capacity=0, starts_at="2030-01-01T00:00Z")

    with pytest.raises(IntegrityError, match="seats_never_negative"), transaction.atomic():
        SeatInventory.objects.filter(departure_id=departure).update(**{column: -1})


def test_seats_of_a_closed_departure_cannot_be_held(
    destinations: Destinations, buyer: Buyer, seats: Callable[[UUID], Seats]
) -> None:
    departure = destinations.publish()
    quote = buyer.quote(departure)
    SeatInventory.objects.filter(departure_id=departure).update(closed=True)

    with pytest.raises(DepartureClosed):
        buyer.book_quote(quote)

    assert seats(departure).held == 0
    assert Booking.objects.count() == 0
