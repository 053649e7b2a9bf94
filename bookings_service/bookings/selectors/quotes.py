"""Read price quotes and cancellation quotes. A quote of another traveller is treated as if it did not exist."""

from uuid import UUID

from bookings_service.bookings.contracts import CancellationQuoteView, QuoteView
from bookings_service.bookings.json_columns import lines_from_json, policy_from_json, texts_from_json
from bookings_service.bookings.models import CancellationQuote, Quote
from shared.errors import NotFound
from shared.money import Money


def quote(*, quote_id: UUID, traveller_id: UUID) -> QuoteView:
    """Return a traveller's quote. Raises NotFound."""
    row = Quote.objects.filter(id=quote_id, traveller_id=traveller_id).first()
    if row is None:
        raise NotFound
    return quote_view(row)


def cancellation_quote(*, quote_id: UUID, traveller_id: UUID) -> CancellationQuoteView:
    """Return a traveller's cancellation quote. Raises NotFound."""
    row = CancellationQuote.objects.filter(id=quote_id, booking__traveller_id=traveller_id).first()
    if row is None:
        raise NotFound
    return cancellation_quote_view(row)


def quote_view(row: Quote) -> QuoteView:
    """Return the view of a quote."""
    return QuoteView(
        id=row.id,
        departure_id=row.departure_id,
        adults=row.adults,
        children=row.children,
        lines=lines_from_json(row.lines, row.currency),
        total=Money.from_minor(row.total_minor, row.currency),
        expires_at=row.expires_at,
        policy=policy_from_json(row.policy),
    )


def cancellation_quote_view(row: CancellationQuote) -> CancellationQuoteView:
    """Return the view of a cancellation quote."""
    return CancellationQuoteView(
        id=row.id,
        booking_id=row.booking_id,
        refund=Money.from_minor(row.refund_minor, row.currency),
        kept=Money.from_minor(row.kept_minor, row.currency),
        explanation=texts_from_json(row.explanation),
        expires_at=row.expires_at,
    )
