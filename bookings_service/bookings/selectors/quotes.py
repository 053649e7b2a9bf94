"""Read price quotes and cancellation quotes. A quote of another traveller is treated as if it did not exist."""
# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from bookings_service.bookings.contracts import CancellationQuoteView, QuoteView
from bookings_service.bookings.json_columns import lines_from_json, policy_from_json, texts_from_json
from bookings_service.bookings.models import CancellationQuote, Quote
from shared.errors import NotFound
from shared.money import Money
from shared.statement import Statement


def quote(*, quote_id: UUID, traveller_id: UUID) -> QuoteView:
    """Return a traveller's quote. Raises NotFound."""
    view = _QUOTE.first(id=quote_id, traveller_id=traveller_id)
    if view is None:
        raise NotFound
    return view


def cancellation_quote(*, quote_id: UUID, traveller_id: UUID) -> CancellationQuoteView:
    """Return a traveller's cancellation quote. Raises NotFound."""
    row = CancellationQuote.objects.filter(id=quote_id, booking__traveller_id=traveller_id).first()
    if row is None:
        raise NotFound
    return cancellation_quote_view(row)


def quote_view(row: Quote) -> QuoteView:
    """Return the view of a quote."""
    return _quote_of_columns(*attrgetter(*_QUOTE_COLUMNS)(row))


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


def _quote_of_columns(
    id: UUID, departure_id: UUID, adults: int, children: int, currency: str, total_minor: int,
    lines: list[dict[str, Any]], expires_at: datetime, policy: list[dict[str, int]],
) -> QuoteView:  # fmt: skip
    return QuoteView(
        id=id,
        departure_id=departure_id,
        adults=adults,
        children=children,
        lines=lines_from_json(lines, currency),
        total=Money.from_minor(total_minor, currency),
        expires_at=expires_at,
        policy=policy_from_json(policy),
    )


_QUOTE_COLUMNS: Final = (
    "id", "departure_id", "adults", "children", "currency", "total_minor", "lines", "expires_at", "policy",
)  # fmt: skip
_QUOTE: Final = Statement(
    _quote_of_columns,
    f"SELECT {', '.join(_QUOTE_COLUMNS)} FROM bookings_quote WHERE id = %(id)s AND traveller_id = %(traveller_id)s",
)
