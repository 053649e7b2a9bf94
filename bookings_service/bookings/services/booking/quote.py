"""Quote what a party costs on a departure. The price is fixed for one traveller until the quote expires."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from bookings_service.bookings import upstream
from bookings_service.bookings.contracts import CreateQuote, QuoteView
from bookings_service.bookings.domain.booking import check_party, price_lines, total_of
from bookings_service.bookings.json_columns import lines_to_json, policy_to_json
from bookings_service.bookings.models import Quote
from bookings_service.bookings.refusals import DepartureClosed
from bookings_service.bookings.selectors import check_free, quote_view
from bookings_service.bookings.services.seats.follow_departures import apply_departure
from bookings_service.bookings.services.waitlist import take_offer
from bookings_service.bookings.upstream import CatalogueDeparture
from shared.auth import Traveller
from shared.db import database_now
from shared.deadline import Deadline
from shared.statement import Insert

_QUOTE: Final = Insert(Quote)


def create_quote(*, command: CreateQuote, traveller: Traveller, deadline: Deadline) -> QuoteView:
    """Fix price, policy and currency for `traveller` until the quote expires.

    A quote holds seats only if it takes an offer of the waiting list. It holds them until it expires. A repeated call
    for the same party and entry returns the same quote.

    Raises InvalidPassengers, NotFound, DepartureClosed, SeatsUnavailable (with the free seats), Unavailable,
    DeadlineExceeded.
    """
    check_party(adults=command.adults, children=command.children)
    departure = upstream.departure(departure_id=command.departure_id, deadline=deadline)
    with transaction.atomic():
        now = database_now()
        earlier = _quote_that_holds(
            command.waitlist_entry_id, departure_id=departure.id, traveller_id=traveller.id, now=now
        )
        if earlier is not None and _is_for(command, departure, earlier):
            return quote_view(earlier)
        apply_departure(snapshot=departure.snapshot(), now=now)
        if not _can_be_quoted(departure, now=now):
            raise DepartureClosed
        quote = _priced(command, departure, traveller_id=traveller.id, expires_at=now + settings.QUOTE_LIFETIME)
        if command.waitlist_entry_id is not None:
            _take_offer(quote, command.waitlist_entry_id, earlier, now=now)
        else:
            check_free(departure_id=departure.id, seats=command.adults + command.children)
        _QUOTE.send(quote)
    return quote_view(quote)


def _is_for(command: CreateQuote, departure: CatalogueDeparture, quote: Quote) -> bool:
    """Return whether the quote is for the party of the command and for the departure's present dates."""
    same_party = (quote.adults, quote.children) == (command.adults, command.children)
    return same_party and (quote.starts_at, quote.ends_at) == (departure.starts_at, departure.ends_at)


def _can_be_quoted(departure: CatalogueDeparture, *, now: datetime) -> bool:
    """Return whether the departure is open and `now` is in the trip's booking window.

    A trip that names no end of its window closes BOOKING_CLOSES before the departure.
    """
    closes_at = departure.bookable_until or departure.starts_at - settings.BOOKING_CLOSES
    is_early = departure.bookable_from is not None and now < departure.bookable_from
    return departure.is_open and not is_early and now < closes_at


def _quote_that_holds(entry_id: UUID | None, *, departure_id: UUID, traveller_id: UUID, now: datetime) -> Quote | None:
    """Lock and return the quote that has taken the entry's offer and still holds its seats, or None."""
    if entry_id is None:
        return None
    holding = Quote.objects.select_for_update().filter(
        waitlist_entry_id=entry_id, departure_id=departure_id, traveller_id=traveller_id,
        held_seats__gt=0, expires_at__gt=now,
    )  # fmt: skip
    return holding.first()


def _take_offer(quote: Quote, entry_id: UUID, earlier: Quote | None, *, now: datetime) -> None:
    seats = quote.adults + quote.children
    if earlier is not None:
        quote.expires_at = take_offer.give_up_quote(earlier, seats=seats, now=now)
        quote.waitlist_entry = earlier.waitlist_entry
    else:
        quote.waitlist_entry = take_offer.take(
            entry_id=entry_id, traveller_id=quote.traveller_id, departure_id=quote.departure_id, seats=seats, now=now
        )
    quote.held_seats = seats


def _priced(command: CreateQuote, departure: CatalogueDeparture, *, traveller_id: UUID, expires_at: datetime) -> Quote:
    lines = price_lines(
        adults=command.adults,
        children=command.children,
        adult_price=departure.adult_price,
        child_price=departure.child_price,
        tax_basis_points=departure.tax_basis_points,
    )
    return Quote(
        traveller_id=traveller_id,
        departure_id=departure.id,
        adults=command.adults,
        children=command.children,
        currency=departure.adult_price.currency,
        total_minor=total_of(lines).minor,
        lines=lines_to_json(lines),
        policy=policy_to_json(departure.policy),
        title_en=departure.title.en,
        title_fr=departure.title.fr,
        starts_at=departure.starts_at,
        ends_at=departure.ends_at,
        time_zone=departure.time_zone,
        bookable_until=departure.bookable_until,
        expires_at=expires_at,
    )
