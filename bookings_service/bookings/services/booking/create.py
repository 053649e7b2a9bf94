"""Book a quote: hold its seats, insert the PENDING booking and its event, all in one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from django.conf import settings
from django.db import IntegrityError

from bookings_service.bookings import selectors, upstream
from bookings_service.bookings.contracts import (
    Actor,
    ActorKind,
    BookingView,
    CreateBooking,
    PassengerDetails,
    PassengerKind,
)
from bookings_service.bookings.domain.booking import MOST_PASSENGERS, new_reference
from bookings_service.bookings.json_columns import lines_from_json
from bookings_service.bookings.models import Booking, Passenger
from bookings_service.bookings.refusals import InvalidPassengers, QuoteUsed
from bookings_service.bookings.services.booking.quote_to_book import (
    QuoteToBook,
    check_free_seats,
    check_limits,
    check_quote,
    lock_quote,
    use_quote,
)
from bookings_service.bookings.services.booking.transition import open_booking
from bookings_service.bookings.services.seats import inventory
from shared.auth import Traveller
from shared.db import violated_constraint
from shared.deadline import Deadline
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.idempotency.requests import IdempotentRequest
from shared.statement import Insert, one_round_trip

REFERENCES_TRIED: Final = 3
_PASSENGER: Final = Insert(Passenger)


class _ReferenceTaken(Exception):
    """The random reference is already taken. Retry the transaction with another one."""


def create_booking(*, command: CreateBooking, traveller: Traveller, deadline: Deadline) -> BookingView:
    """Hold the quote's seats and open a PENDING booking for `traveller`.

    Idempotent: a repeated key with the same command returns the first booking, even if users_service is unavailable.

    Raises NotFound, QuoteExpired, QuoteUsed, PassengersMismatch,
    InvalidPassengers, InvalidName, DepartureClosed, SeatsUnavailable (with the free seats), HoldLimitReached,
    KeyReused, InFlight, Unavailable.
    """
    for _ in range(REFERENCES_TRIED):
        with suppress(_ReferenceTaken):
            return _book(command=command, traveller=traveller, deadline=deadline)
    raise Unavailable(retry_after=1)


def _book(*, command: CreateBooking, traveller: Traveller, deadline: Deadline) -> BookingView:
    """Ask whether the traveller may book, then write the booking in one transaction.

    The last statement takes the seats, because many transactions wait for the lock of the inventory row. Raises what
    create_booking raises, and _ReferenceTaken.
    """
    may_book = partial(
        upstream.check_traveller, traveller_id=traveller.id, token=traveller.token, deadline=deadline
    )  # fmt: skip
    idempotent_request = IdempotentRequest(owner=traveller.id, key=command.idempotency_key, request=command)
    with idempotent_request.once(before=may_book) as write:
        if write.earlier_result:
            return selectors.booking_of_any_traveller(booking_id=write.earlier_result)
        if not 0 < len(command.passengers) <= MOST_PASSENGERS:
            raise InvalidPassengers(field="passengers")
        quote = lock_quote(quote_id=command.quote_id, traveller_id=traveller.id)
        details = check_quote(quote, command.passengers)
        check_free_seats(quote)
        check_limits(quote)
        booking = _new_booking(quote)
        passengers = _new_passengers(booking, details)
        with _unique_values(), one_round_trip():
            use_quote(quote)
            open_booking(booking, actor=Actor(ActorKind.TRAVELLER, traveller.id), now=quote.now)
            for passenger in passengers:
                _PASSENGER.send(passenger)
            write.succeeded(result=booking.id)
        _take_seats(quote)
        failpoint("booking.before_commit")
    failpoint("booking.after_commit")
    return selectors.view_of_new(booking, passengers=passengers)


def _new_booking(quote: QuoteToBook) -> Booking:
    return Booking(
        quote_id=quote.id,
        traveller_id=quote.traveller_id,
        departure_id=quote.departure_id,
        reference=new_reference(),
        seats=quote.adults + quote.children,
        title_en=quote.title_en,
        title_fr=quote.title_fr,
        starts_at=quote.starts_at,
        ends_at=quote.ends_at,
        time_zone=quote.time_zone,
        currency=quote.currency,
        total_minor=quote.total_minor,
        lines=quote.lines,
        policy=quote.policy,
        hold_expires_at=quote.now + settings.BOOKING_HOLD,
        created_at=quote.now,
    )


def _new_passengers(booking: Booking, passengers: Sequence[PassengerDetails]) -> list[Passenger]:
    lines = lines_from_json(booking.lines, booking.currency)
    price = {PassengerKind.ADULT: lines[0].unit_price, PassengerKind.CHILD: lines[-1].unit_price}
    return [
        Passenger(
            booking=booking,
            position=position,
            first_name=passenger.first_name,
            last_name=passenger.last_name,
            kind=passenger.kind,
            date_of_birth=passenger.date_of_birth,
            share_minor=price[passenger.kind].minor,
        )
        for position, passenger in enumerate(passengers)
    ]


def _take_seats(quote: QuoteToBook) -> None:
    """Hold the seats, unless the quote has held them since it took an offer of the waiting list.

    Either statement requires the dates of the quote, and lets no move of the departure commit before the booking. So a
    departure is never sold with earlier dates, and the clock finds every booking of a moved departure.
    """
    if quote.waitlist_entry_id is None:
        inventory.hold(departure_id=quote.departure_id, seats=quote.adults + quote.children, dates=quote.dates)
    else:
        inventory.check_open(departure_id=quote.departure_id, dates=quote.dates)


@contextmanager
def _unique_values() -> Iterator[None]:
    """Raise _ReferenceTaken if another booking has the random reference, QuoteUsed if one has the quote.

    The unique constraint on the quote is the second guard behind the quote's lock.
    """
    try:
        yield
    except IntegrityError as error:
        constraint = violated_constraint(error)
        if constraint == "bookings_booking_reference_key":
            raise _ReferenceTaken from error
        if constraint == "bookings_booking_quote_id_key":
            raise QuoteUsed from error
        raise
