"""Cancel in two steps: a quote explains the refund, then the traveller confirms it.

It can be confirmed while it is valid and the booking is unchanged.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import selectors, wrong_references
from bookings_service.bookings.contracts import Actor, ActorKind, BookingView, CancellationQuoteView
from bookings_service.bookings.domain.booking import Reason, is_reference
from bookings_service.bookings.models import Booking, CancellationQuote
from bookings_service.bookings.services.cancellation.cancellation_quote import quote_for
from bookings_service.bookings.services.cancellation.carry_out import carry_out
from bookings_service.bookings.wrong_references import ReferenceNotFound
from shared.auth import Traveller
from shared.db import database_now


def quote_cancellation(
    *, reference: str, passenger_ids: Collection[UUID], traveller: Traveller
) -> CancellationQuoteView:
    """Quote what cancelling the passengers would refund now, and why, and store the quote. No passengers means all.

    Raises NotFound if the booking or a passenger is not the traveller's, NotCancellable, RateLimited.
    """
    with wrong_references.limited(traveller_id=traveller.id), transaction.atomic():
        own = Booking.objects.select_for_update().filter(reference=reference, traveller_id=traveller.id)
        booking = own.first() if is_reference(reference) else None
        if booking is None:
            raise ReferenceNotFound
        quote = quote_for(booking, passenger_ids=passenger_ids, now=database_now())
        return selectors.cancellation_quote_view(quote)


def cancel_booking(*, cancellation_quote_id: UUID, traveller: Traveller) -> BookingView:
    """Cancel as quoted: release the seats and request the refund. A repeated call returns the booking as it is now.

    Raises NotFound, QuoteExpired, QuoteOutdated.
    """
    quotes = CancellationQuote.objects.filter(
        id=cancellation_quote_id, booking__traveller_id=traveller.id, staff_id__isnull=True
    )
    actor = Actor(ActorKind.TRAVELLER, traveller.id)
    return carry_out(quotes.first(), reason=Reason.CANCELLED_BY_TRAVELLER, actor=actor)
