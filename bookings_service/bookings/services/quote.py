"""Quoting: what a party costs on a departure, fixed for fifteen minutes for one traveller."""

from django.conf import settings
from django.db import transaction

from bookings_service.bookings import inventory, upstream
from bookings_service.bookings.contracts import CreateQuote, DepartureSnapshot, QuoteView
from bookings_service.bookings.domain import check_party, price_lines, total_of
from bookings_service.bookings.models import Quote
from bookings_service.bookings.refusals import DepartureClosed, SeatsUnavailable
from bookings_service.bookings.selectors import quote_view
from bookings_service.bookings.snapshots import lines_to_json, policy_to_json
from shared.auth import Traveller
from shared.db import database_now
from shared.deadline import Deadline


def create_quote(*, command: CreateQuote, traveller: Traveller, deadline: Deadline) -> QuoteView:
    """Fix price, policy and currency for `traveller` until the quote expires; no seat is taken yet.

    Raises InvalidPassengers, NotFound, DepartureClosed, SeatsUnavailable (with the seats left), Unavailable, DeadlineExceeded.
    """
    check_party(adults=command.adults, children=command.children)
    offered = upstream.departure(departure_id=command.departure_id, deadline=deadline)
    lines = price_lines(
        adults=command.adults,
        children=command.children,
        adult_price=offered.adult_price,
        child_price=offered.child_price,
        tax_basis_points=offered.tax_basis_points,
    )
    seats = command.adults + command.children
    with transaction.atomic():
        now = database_now()
        inventory.learn(
            DepartureSnapshot(
                departure_id=offered.id,
                version=offered.version,
                capacity=offered.capacity,
                closed=not offered.is_open,
                cancelled=offered.is_cancelled,
                starts_at=offered.starts_at,
            )
        )
        if not offered.is_open or offered.starts_at - settings.BOOKING_CLOSES <= now:
            raise DepartureClosed
        left = inventory.seats_of(departure_id=offered.id).available
        if left < seats:
            raise SeatsUnavailable(seatsLeft=max(0, left))
        quote = Quote.objects.create(
            traveller_id=traveller.id,
            departure_id=offered.id,
            adults=command.adults,
            children=command.children,
            currency=offered.adult_price.currency,
            total_minor=total_of(lines).minor,
            lines=lines_to_json(lines),
            policy=policy_to_json(offered.policy),
            title_en=offered.title.en,
            title_fr=offered.title.fr,
            starts_at=offered.starts_at,
            ends_at=offered.ends_at,
            time_zone=offered.time_zone,
            expires_at=now + settings.QUOTE_LIFETIME,
        )
        return quote_view(quote)
