"""Quoting and booking: completely or not at all, once per key, and only for the traveller."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingView, Seats
from bookings_service.bookings.models import Booking, BookingEvent, Passenger, Quote, SeatInventory
from bookings_service.bookings.refusals import (
    DepartureClosed,
    HoldLimitReached,
    InvalidPassengers,
    PassengersMismatch,
    QuoteExpired,
    QuoteUsed,
    SeatsUnavailable,
)
from bookings_service.bookings.services.booking import create
from bookings_service.bookings.services.seats import inventory
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations, Users
from bookings_service.tests.factories import end_quote, party
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.events.v1.bookings_pb2 import BookingCreated
from shared.cloudevents import Envelope
from shared.errors import InFlight, Invalid, KeyReused, NotFound, Unavailable
from shared.idempotency.models import IdempotencyKey
from shared.names import InvalidName
from shared.outbox.models import OutboxEvent
from shared.testing import race

pytestmark = pytest.mark.django_db(transaction=True)


def written() -> dict[str, int]:
    """Return the number of rows that booking writes, and the held seats."""
    return {
        model.__name__: model.objects.count()
        for model in (Booking, Passenger, BookingEvent, OutboxEvent, IdempotencyKey)
    } | {"held": sum(SeatInventory.objects.values_list("held", flat=True))}


NOTHING = {"Booking": 0, "Passenger": 0, "BookingEvent": 0, "OutboxEvent": 0, "IdempotencyKey": 0, "held": 0}


def test_a_quote_fixes_price_policy_and_time(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(adult=12_000, child=7_001)

    quote = buyer.quote(departure, adults=2, children=1)

    assert (quote.total.minor, quote.total.currency) == (31_001, "EUR")
    assert [(rule.days_before, rule.refund_percent) for rule in quote.policy] == [(30, 100), (7, 50)]
    destinations.publish(departure_id=departure, adult=99_999, child=99_999, version=2)
    assert buyer.book_quote(quote).total == quote.total
    assert OutboxEvent.objects.count() == 1


def test_a_booking_is_written_completely(
    buyer: Buyer, destinations: Destinations, seats: Callable[[UUID], Seats]
) -> None:
    """Seen failing (no event is sent) without the outbox write in create_booking."""
    departure = destinations.publish(capacity=5)

    booking = buyer.book(departure, adults=2, children=1)

    assert (booking.status, booking.reason, booking.sequence) == ("PENDING", "HELD", 1)
    assert len(booking.passengers) == 3
    assert seats(departure) == Seats(capacity=5, held=3, sold=0)
    row = OutboxEvent.objects.get()
    assert (row.type, row.topic, row.key, row.sequence) == (
        "travel.bookings.booking.created.v1", "travel.bookings.booking", str(booking.id), 1,
    )  # fmt: skip
    event = Envelope(
        id=str(row.event_id), type=row.type, source="bookings", key=row.key, sequence=1, occurred_at=row.occurred_at,
        value=row.value.encode(),
    ).message()  # fmt: skip
    assert isinstance(event, BookingCreated)
    assert (event.booking.reference, event.booking.seats, event.entry.sequence) == (booking.reference, 3, 1)
    assert "Lindqvist" not in row.value
    entry = BookingEvent.objects.get()
    assert (entry.sequence, entry.type, entry.actor, entry.actor_id) == (
        1,
        "booking.created",
        "traveller",
        buyer.who.id,
    )


def test_a_failure_in_the_last_step_writes_nothing(buyer: Buyer, destinations: Destinations) -> None:
    quote = buyer.quote(destinations.publish())

    with patch.object(inventory, "hold", side_effect=SeatsUnavailable(seatsLeft=0)), pytest.raises(SeatsUnavailable):
        buyer.book_quote(quote)

    assert written() == NOTHING
    assert buyer.book_quote(quote).status == "PENDING"  # the quote is still valid


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"passengers": party(adults=1)}, PassengersMismatch),
        ({"passengers": party(adults=1, children=1)}, PassengersMismatch),
        ({"passengers": ()}, InvalidPassengers),
        ({"passengers": party(adults=21)}, InvalidPassengers),
        ({"passengers": (*party(adults=2)[:1], party()[0].__class__("A\x00", "B", party()[0].kind))}, InvalidName),
        ({"quote_id": uuid4()}, NotFound),
        ({"idempotency_key": ""}, Invalid),
        ({"idempotency_key": "a b"}, Invalid),
        ({"idempotency_key": "é"}, Invalid),
        ({"idempotency_key": "k" * 10_240}, Invalid),
    ],
)
def test_a_refused_booking_writes_nothing(
    buyer: Buyer, destinations: Destinations, change: dict[str, Any], refusal: type
) -> None:
    quote = buyer.quote(destinations.publish())

    with pytest.raises(refusal):
        buyer.book_quote(quote, **change)

    assert written() == NOTHING
    assert Quote.objects.get().used_at is None


def test_only_its_traveller_uses_a_quote_once_and_in_time(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    owner, other = buyers(2)
    quote, late = owner.quote(destinations.publish()), owner.quote(destinations.publish())
    end_quote(late.id)

    with pytest.raises(NotFound):
        other.book_quote(quote)
    with pytest.raises(QuoteExpired):
        owner.book_quote(late)
    assert written() == NOTHING
    assert owner.book_quote(quote).status == "PENDING"
    with pytest.raises(QuoteUsed):
        owner.book_quote(quote)
    assert Booking.objects.count() == 1


def test_a_closed_account_cannot_book(buyer: Buyer, destinations: Destinations, users: Users) -> None:
    quote = buyer.quote(destinations.publish())
    users.closed.add(str(buyer.who.id))

    with pytest.raises(Exception) as refused:
        buyer.book_quote(quote)

    assert refused.value.code == "NOT_FOUND"
    assert written() == NOTHING


def test_a_repeated_key_books_once(buyer: Buyer, destinations: Destinations, users: Users) -> None:
    quote, key = buyer.quote(destinations.publish()), str(uuid4())

    first = buyer.book_quote(quote, key=key)
    users.unavailable = True  # a retry needs no upstream
    again = buyer.book_quote(quote, key=key)

    assert again == first
    assert written() == {
        "Booking": 1,
        "Passenger": 2,
        "BookingEvent": 1,
        "OutboxEvent": 1,
        "IdempotencyKey": 1,
        "held": 2,
    }


def test_a_key_belongs_to_one_request(buyer: Buyer, destinations: Destinations) -> None:
    key = str(uuid4())
    buyer.book_quote(buyer.quote(destinations.publish()), key=key)

    with pytest.raises(KeyReused):
        buyer.book_quote(buyer.quote(destinations.publish()), key=key)

    assert Booking.objects.count() == 1


def test_ten_concurrent_requests_with_one_key_make_one_booking(buyer: Buyer, destinations: Destinations) -> None:
    """Each request returns the same booking, or InFlight while the first one runs."""
    quote, key = buyer.quote(destinations.publish()), str(uuid4())

    outcomes = race([lambda: buyer.book_quote(quote, key=key)] * 10)

    assert {type(outcome) for outcome in outcomes} <= {BookingView, InFlight}
    assert len({outcome.id for outcome in outcomes if isinstance(outcome, BookingView)}) == 1
    assert Booking.objects.count() == OutboxEvent.objects.count() == 1


def test_the_same_key_of_two_travellers_makes_two_bookings(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    departure, key = destinations.publish(), str(uuid4())

    bookings = [buyer.book_quote(buyer.quote(departure), key=key) for buyer in buyers(2)]

    assert bookings[0].id != bookings[1].id


def test_a_traveller_may_hold_five_bookings_or_twenty_seats(
    buyer: Buyer, buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=100)
    for _ in range(5):
        buyer.book(departure, adults=1)

    with pytest.raises(HoldLimitReached) as sixth:
        buyer.book(departure, adults=1)
    other = buyers(1)[0]
    other.book(departure, adults=20)
    with pytest.raises(HoldLimitReached):
        other.book(departure, adults=1)

    assert sixth.value.params == {"bookings": 5, "seats": 20}
    assert Booking.objects.count() == 6


def test_concurrent_requests_cannot_exceed_the_hold_limit(buyer: Buyer, destinations: Destinations) -> None:
    """Ten concurrent requests of one traveller. Seen failing without check_limits' lock."""
    departure = destinations.publish(capacity=100)
    quotes = [buyer.quote(departure, adults=1) for _ in range(10)]

    outcomes = race([lambda q=quote: buyer.book_quote(q) for quote in quotes])

    assert sum(isinstance(outcome, BookingView) for outcome in outcomes) == 5
    assert Booking.objects.count() == 5


def test_a_departure_that_cannot_be_booked_is_not_quoted(buyer: Buyer, destinations: Destinations) -> None:
    offer = destinations.publish
    for departure in (
        offer(status=destinations_pb2.DEPARTURE_STATUS_CLOSED),
        offer(status=destinations_pb2.DEPARTURE_STATUS_CANCELLED),
        offer(starts_in=timedelta(hours=-1)),
        offer(starts_in=timedelta(minutes=30)),
    ):
        with pytest.raises(DepartureClosed):
            buyer.quote(departure)
    with pytest.raises(SeatsUnavailable) as full:
        buyer.quote(offer(capacity=1))
    with pytest.raises(NotFound):
        buyer.quote(uuid4())

    assert full.value.params == {"seatsLeft": 1}
    assert Quote.objects.count() == 0


def test_quoting_and_booking_are_refused_if_an_upstream_is_unavailable(
    buyer: Buyer, destinations: Destinations, users: Users
) -> None:
    quote = buyer.quote(destinations.publish())
    users.unavailable = destinations.unavailable = True

    with pytest.raises(Unavailable):
        buyer.quote(destinations.publish())
    with pytest.raises(Unavailable):
        buyer.book_quote(quote)

    assert written() == NOTHING


def test_bookings_of_others_are_not_found(buyers: Callable[[int], list[Buyer]], destinations: Destinations) -> None:
    owner, other = buyers(2)
    quote = owner.quote(destinations.publish())
    booking = owner.book_quote(quote)

    with pytest.raises(NotFound):
        selectors.booking_by_reference(reference=booking.reference, traveller_id=other.who.id)
    with pytest.raises(NotFound):
        selectors.quote(quote_id=quote.id, traveller_id=other.who.id)
    with pytest.raises(NotFound):
        other.cancel(booking)
    assert selectors.bookings_by_id(ids=[booking.id], traveller_id=other.who.id) == []
    assert selectors.history(booking_ids=[booking.id], traveller_id=other.who.id) == {booking.id: []}


def test_another_reference_is_drawn_if_the_first_is_taken(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    taken = buyer.book(departure).reference
    quote = buyer.quote(departure)

    with patch.object(create, "new_reference", side_effect=[taken, taken, "ZZZZ2222"]):
        booking = buyer.book_quote(quote)

    assert booking.reference == "ZZZZ2222"
    assert Booking.objects.count() == 2
    with patch.object(create, "new_reference", return_value=taken), pytest.raises(Unavailable):
        buyer.book_quote(buyer.quote(departure))
    assert Booking.objects.count() == 2


def test_booking_a_sold_out_departure_writes_nothing(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    """Seen failing (an INSERT before the refusal) without check_free_seats."""
    departure = destinations.publish(capacity=2)
    first, late = buyers(2)
    quote = late.quote(departure)
    first.book(departure)

    with CaptureQueriesContext(connection) as queries, pytest.raises(SeatsUnavailable):
        late.book_quote(quote)

    assert not [query["sql"] for query in queries.captured_queries if query["sql"].startswith(("INSERT", "UPDATE"))]
