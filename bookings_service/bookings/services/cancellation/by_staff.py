"""Cancel as staff, in the same two steps as a traveller.

Staff give a reason, so that other staff can see later why it was done. They may set the refunded percentage.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import Actor, ActorKind, BookingView, CancellationQuoteView
from bookings_service.bookings.domain.booking import Reason, is_reference
from bookings_service.bookings.domain.staff_reason import clean_staff_reason
from bookings_service.bookings.models import Booking, CancellationQuote
from bookings_service.bookings.services.cancellation.cancellation_quote import quote_for
from bookings_service.bookings.services.cancellation.carry_out import carry_out
from shared.db import database_now
from shared.errors import Invalid, NotFound


def quote_cancellation_as_staff(
    *,
    reference: str,
    passenger_ids: Collection[UUID],
    staff_id: UUID,
    staff_reason: str,
    override_percent: int | None = None,
) -> CancellationQuoteView:
    """Quote what cancelling would refund, by the policy or at `override_percent`, and store the quote.

    No passengers means all.

    Raises NotFound, NotCancellable, and Invalid if there is no reason or the percentage is not 0 to 100.
    """
    staff_reason = clean_staff_reason(staff_reason)
    if override_percent is not None and not 0 <= override_percent <= 100:
        raise Invalid(field="refundPercent")
    with transaction.atomic():
        matching = Booking.objects.select_for_update().filter(reference=reference)
        booking = matching.first() if is_reference(reference) else None
        if booking is None:
            raise NotFound
        quote = quote_for(
            booking, passenger_ids=passenger_ids, now=database_now(), override_percent=override_percent,
            staff_id=staff_id, staff_reason=staff_reason,
        )  # fmt: skip
        return selectors.cancellation_quote_view(quote)


def cancel_as_staff(*, cancellation_quote_id: UUID, staff_id: UUID) -> BookingView:
    """Carry out a cancellation quote that the same member of staff made.

    A repeated call returns the booking as it is now.

    Raises NotFound, QuoteExpired, QuoteOutdated.
    """
    quotes = CancellationQuote.objects.filter(id=cancellation_quote_id, staff_id=staff_id)
    actor = Actor(ActorKind.STAFF, staff_id)
    return carry_out(quotes.first(), reason=Reason.CANCELLED_BY_STAFF, actor=actor)
