"""travel.bookings.v1 reads: what a list filters, how many statements it takes, and nothing of other travellers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingFilter
from bookings_service.bookings.models import Booking
from bookings_service.bookings.selectors import BookingOrder
from bookings_service.payments.models import Refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

NOW = datetime(2027, 3, 10, 18, tzinfo=UTC)  # in Kolkata it is 23:30


def page(wanted: BookingFilter, *, order: BookingOrder = BookingOrder.NEWEST, first: int = 20, after: str = "") -> Any:
    return selectors.bookings_page(wanted=wanted, order=order, first=first, after=after)


def statements(act: Callable[[], object]) -> int:
    """Return how many statements an act takes."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


@pytest.fixture
def booked(buyer: Buyer, destinations: Destinations) -> list[UUID]:
    """Four bookings of one traveller: two paid, of which one is refunded and one partly; and two unpaid."""
    departure = destinations.publish(capacity=50)
    bookings = [buyer.book(departure, adults=2, children=1) for _ in range(4)]
    for booking in bookings[:2]:
        buyer.pay(booking)
    buyer.cancel(bookings[0])
    buyer.cancel(bookings[1], bookings[1].passengers[0].id)
    return [booking.id for booking in bookings]


def test_a_page_takes_one_statement_however_many_bookings_it_has(buyer: Buyer, booked: list[UUID]) -> None:
    wanted = BookingFilter(traveller_id=buyer.who.id)

    assert [statements(lambda n=first: page(wanted, first=n)) for first in (1, 4)] == [1, 1]
    assert statements(lambda: selectors.bookings_by_id(ids=booked, traveller_id=buyer.who.id)) == 1
    assert statements(lambda: selectors.booking_of_any_traveller(booking_id=booked[0])) == 1


def test_every_way_to_read_a_booking_shows_the_same(buyer: Buyer, booked: list[UUID]) -> None:
    one_by_one = [selectors.booking_of_any_traveller(booking_id=booking_id) for booking_id in booked]

    assert selectors.bookings_by_id(ids=booked, traveller_id=buyer.who.id) == one_by_one
    assert page(BookingFilter(traveller_id=buyer.who.id)).rows == one_by_one[::-1]
    refunded, partly, *unpaid = one_by_one
    assert refunded.total == refunded.paid
    assert [len(booking.refunds) for booking in one_by_one] == [1, 1, 0, 0]
    assert [passenger.cancelled for passenger in partly.passengers] == [True, False, False]
    assert [booking.paid.minor for booking in unpaid] == [0, 0]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({}, [0, 1, 2, 3]),
        ({"status": "PENDING"}, [2, 3]),
        ({"status": "PENDING", "upcoming": True}, [3]),
        ({"upcoming": True}, [1, 3]),
        ({"upcoming": False}, [0, 2]),
        ({"starts_from": NOW.date()}, [1, 2, 3]),
        ({"starts_to": NOW.date()}, [0, 2]),
        ({"starts_from": NOW.date(), "starts_to": NOW.date()}, [2]),
        ({"reference": "AB"}, [0, 1]),
        ({"reference": "_"}, []),
        ({"reference": "%"}, []),
    ],
)
def test_a_list_has_the_bookings_of_its_filter(
    buyer: Buyer, booked: list[UUID], condition: dict[str, Any], shown: list[int]
) -> None:
    """Seen failing (all four bookings) without each of the conditions in turn, and (one more) with days in UTC."""
    starts = [NOW - timedelta(days=30), NOW + timedelta(hours=1), NOW - timedelta(hours=1), NOW + timedelta(days=30)]
    for booking_id, reference, starts_at in zip(
        booked, ("ABCDEFGH", "ABZZZZZZ", "ZZZZZZZZ", "B2345678"), starts, strict=True
    ):
        Booking.objects.filter(id=booking_id).update(reference=reference, starts_at=starts_at, time_zone="Asia/Kolkata")
    wanted = BookingFilter(traveller_id=buyer.who.id, now=NOW, **condition)

    rows = page(wanted, order=BookingOrder.BY_START).rows

    assert sorted(booked.index(row.id) for row in rows) == shown
    assert [row.starts_at for row in rows] == sorted(row.starts_at for row in rows)
    assert selectors.count_bookings(wanted=wanted) == len(shown)


def test_pages_meet_although_bookings_have_the_same_instant(buyer: Buyer, booked: list[UUID]) -> None:
    """Seen failing (a booking is missing) with the id left out of the place after which a page begins."""
    Booking.objects.filter(id__in=booked).update(created_at=NOW, starts_at=NOW)
    wanted = BookingFilter(traveller_id=buyer.who.id)

    for order, expected in ((BookingOrder.NEWEST, sorted(booked)[::-1]), (BookingOrder.BY_START, sorted(booked))):
        begin = page(wanted, order=order, first=2)
        rest = page(wanted, order=order, first=2, after=begin.cursors[-1])

        assert [row.id for row in (*begin.rows, *rest.rows)] == expected
        assert (begin.has_next, rest.has_next, rest.has_previous) == (True, False, True)


def test_other_travellers_find_nothing(buyer: Buyer, booked: list[UUID]) -> None:
    """Seen failing (the rows) without the traveller in the statement of payments, of refunds, or of bookings by id."""
    other = uuid4()
    payments = [payment.id for payment in selectors.booking_of_any_traveller(booking_id=booked[0]).payments]
    refunds = list(Refund.objects.values_list("id", flat=True))

    assert selectors.payments_by_id(ids=payments, traveller_id=other) == []
    assert selectors.refunds_by_id(ids=refunds, traveller_id=other) == []
    assert selectors.bookings_by_id(ids=booked, traveller_id=other) == []
    assert page(BookingFilter(traveller_id=other)).rows == []
    assert selectors.history(booking_ids=booked, traveller_id=other) == {booking_id: [] for booking_id in booked}
    assert len(selectors.payments_by_id(ids=payments, traveller_id=buyer.who.id)) == len(payments) == 1
    assert len(selectors.refunds_by_id(ids=refunds, traveller_id=buyer.who.id)) == len(refunds) == 2
