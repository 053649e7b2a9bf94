"""Book a quote: hold its seats, insert the PENDING booking and its event, all in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import Count, Sum

from bookings_service.bookings import selectors, upstream
from bookings_service.bookings.contracts import (
    Actor,
    ActorKind,
    BookingView,
    CreateBooking,
    PassengerDetails,
    PassengerKind,
)
from bookings_service.bookings.domain.booking import (
    MOST_PASSENGERS,
    Status,
    check_passengers,
    local_date,
    new_reference,
)
from bookings_service.bookings.json_columns import lines_from_json
from bookings_service.bookings.models import Booking, Passenger, Quote
from bookings_service.bookings.refusals import (
    DepartureClosed,
    HoldLimitReached,
    InvalidPassengers,
    PassengersMismatch,
    QuoteExpired,
    QuoteUsed,
)
from bookings_service.bookings.services.booking.transition import open_booking
from bookings_service.bookings.services.seats import inventory
from shared.auth import Traveller
from shared.db import database_now, lock_key
from shared.deadline import Deadline
from shared.errors import NotFound, Unavailable
from shared.failpoints import failpoint
from shared.idempotency.requests import IdempotentRequest

REFERENCES_TRIED: Final = 3


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
        now = database_now()
        quote, details = use_quote(command=command, traveller_id=traveller.id, now=now)
        check_limits(traveller_id=traveller.id, seats=len(details))
        booking = _open(quote, seats=len(details), traveller=traveller, now=now)
        passengers = _add_passengers(booking, details)
        write.succeeded(result=booking.id)
        view = selectors.view_of_new(booking, passengers=passengers)
        if quote.waitlist_entry_id is None:
            inventory.hold(departure_id=quote.departure_id, seats=len(details))
        else:  # the quote has held its seats since it took the offer
            inventory.check_open(departure_id=quote.departure_id)
        failpoint("booking.before_commit")
    failpoint("booking.after_commit")
    return view


def use_quote(*, command: CreateBooking, traveller_id: UUID, now: datetime) -> tuple[Quote, Sequence[PassengerDetails]]:
    """Lock the quote and mark it as used. Return it with the passengers, whose names are cleaned.

    Raises NotFound if the quote is not the traveller's; QuoteUsed, QuoteExpired, DepartureClosed, PassengersMismatch,
    InvalidPassengers, InvalidName; and SeatsUnavailable early if too few seats are free.
    """
    if not 0 < len(command.passengers) <= MOST_PASSENGERS:
        raise InvalidPassengers(field="passengers")
    quote = Quote.objects.select_for_update().filter(id=command.quote_id, traveller_id=traveller_id).first()
    if quote is None:
        raise NotFound
    if quote.used_at is not None:
        raise QuoteUsed
    if quote.expires_at <= now:
        raise QuoteExpired
    if quote.starts_at - settings.BOOKING_CLOSES <= now:
        raise DepartureClosed
    kinds = [passenger.kind for passenger in command.passengers]
    if (kinds.count(PassengerKind.ADULT), kinds.count(PassengerKind.CHILD)) != (quote.adults, quote.children):
        raise PassengersMismatch(field="passengers", adults=quote.adults, children=quote.children)
    passengers = check_passengers(command.passengers, departs=local_date(quote.starts_at, quote.time_zone))
    if quote.waitlist_entry_id is None:
        selectors.check_free(departure_id=quote.departure_id, seats=len(passengers))
    quote.used_at, quote.held_seats = now, 0
    quote.save(update_fields=["used_at", "held_seats"])
    return quote, passengers


def check_limits(*, traveller_id: UUID, seats: int) -> None:
    """Raise HoldLimitReached if one more booking of `seats` seats would exceed a limit of the traveller.

    One limit counts unpaid bookings, the other counts seats in unpaid bookings. A limit of 0 is no limit.

    An advisory lock on the traveller prevents two concurrent requests from both passing the check.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("holds", traveller_id)])
    unpaid = Booking.objects.filter(traveller_id=traveller_id, status=Status.PENDING).aggregate(
        bookings=Count("id"), seats=Sum("seats", default=0)
    )
    too_many_bookings = 0 < settings.HOLD_LIMIT_BOOKINGS <= unpaid["bookings"]
    too_many_seats = 0 < settings.HOLD_LIMIT_SEATS < unpaid["seats"] + seats
    if too_many_bookings or too_many_seats:
        raise HoldLimitReached(bookings=settings.HOLD_LIMIT_BOOKINGS, seats=settings.HOLD_LIMIT_SEATS)


def _open(quote: Quote, *, seats: int, traveller: Traveller, now: datetime) -> Booking:
    """Insert the booking under a random reference. Raises _ReferenceTaken if another booking has it already."""
    booking = Booking(
        quote=quote,
        traveller_id=quote.traveller_id,
        departure_id=quote.departure_id,
        reference=new_reference(),
        seats=seats,
        title_en=quote.title_en,
        title_fr=quote.title_fr,
        starts_at=quote.starts_at,
        ends_at=quote.ends_at,
        time_zone=quote.time_zone,
        currency=quote.currency,
        total_minor=quote.total_minor,
        lines=quote.lines,
        policy=quote.policy,
        hold_expires_at=now + settings.BOOKING_HOLD,
        created_at=now,
    )
    try:
        open_booking(booking, actor=Actor(ActorKind.TRAVELLER, traveller.id), now=now)
    except IntegrityError as error:
        if "reference" in str(error.__cause__):
            raise _ReferenceTaken from error
        raise QuoteUsed from error  # the unique constraint on `quote` is the second guard behind the quote's lock
    return booking


def _add_passengers(booking: Booking, passengers: Sequence[PassengerDetails]) -> list[Passenger]:
    lines = lines_from_json(booking.lines, booking.currency)
    price = {PassengerKind.ADULT: lines[0].unit_price, PassengerKind.CHILD: lines[-1].unit_price}
    return Passenger.objects.bulk_create(
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
    )
