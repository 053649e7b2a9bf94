"""Quote a cancellation: what it refunds, what is kept as a fee, and why.

`stands_as_quoted` says later whether the quote is still true.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from bookings_service.bookings.contracts import PassengerKind
from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.domain.cancellation import CancellationTerms, DepartureTerms, cancellation_terms
from bookings_service.bookings.json_columns import policy_from_json, texts_to_json
from bookings_service.bookings.models import Booking, CancellationQuote, Passenger
from bookings_service.bookings.refusals import NotCancellable
from bookings_service.bookings.services.departure_change.agreed import free_cancellation_until
from bookings_service.payments import ledger
from shared.errors import NotFound
from shared.money import Money


def quote_for(
    booking: Booking, *, passenger_ids: Collection[UUID], now: datetime, override_percent: int | None = None,
    staff_id: UUID | None = None, staff_reason: str = "",
) -> CancellationQuote:  # fmt: skip
    """Record what cancelling the passengers would refund now. Without passengers, quote the whole booking.

    Raises NotFound if a passenger is not of the booking. Raises NotCancellable if the booking or a passenger is
    cancelled, if the trip has begun, if only some passengers of an unpaid booking are named, or if children would
    travel without an adult.
    """
    passengers = list(booking.passengers.all())
    travelling = [passenger for passenger in passengers if passenger.cancelled_at is None]
    selected = set(passenger_ids) or {passenger.id for passenger in travelling}
    _check(booking, passengers=passengers, travelling=travelling, selected=selected, now=now)
    cancelled = [index for index, passenger in enumerate(travelling) if passenger.id in selected]
    free_until = free_cancellation_until(booking, now=now) if override_percent is None else None
    terms = _terms(
        booking, travelling, cancelled, now=now, override_percent=override_percent, free_until=free_until
    )  # fmt: skip
    expires_at = now + settings.QUOTE_LIFETIME
    return CancellationQuote.objects.create(
        booking=booking,
        passengers=sorted(selected),
        whole=len(selected) == len(travelling),
        booking_status=booking.status,
        booking_seats=booking.seats,
        booking_changed_at=booking.changed_at,
        booking_change_accepted_at=booking.change_accepted_at,
        currency=booking.currency,
        refund_minor=terms.refund.minor,
        kept_minor=terms.fee.minor,
        explanation=texts_to_json(terms.explanation),
        staff_id=staff_id,
        note=staff_reason,
        expires_at=min(expires_at, free_until or expires_at),
    )


def stands_as_quoted(booking: Booking, quote: CancellationQuote, *, now: datetime) -> bool:
    """Return whether the quote is still true.

    The booking has the same status and seats, its departure was not moved again, a move was not accepted, enough is
    refundable, and the trip has not begun.
    """
    quoted = (quote.booking_status, quote.booking_seats, quote.booking_changed_at, quote.booking_change_accepted_at)
    unchanged = (booking.status, booking.seats, booking.changed_at, booking.change_accepted_at) == quoted
    is_refundable = ledger.refundable(booking.id, booking.currency).minor >= quote.refund_minor + quote.kept_minor
    return unchanged and is_refundable and now < booking.starts_at


def _check(
    booking: Booking,
    *,
    passengers: Sequence[Passenger],
    travelling: Sequence[Passenger],
    selected: set[UUID],
    now: datetime,
) -> None:
    if selected - {passenger.id for passenger in passengers}:
        raise NotFound
    if booking.status == Status.CANCELLED or now >= booking.starts_at or selected - {p.id for p in travelling}:
        raise NotCancellable
    remaining = [passenger for passenger in travelling if passenger.id not in selected]
    if remaining and booking.status == Status.PENDING:
        raise NotCancellable
    if remaining and all(passenger.kind == PassengerKind.CHILD for passenger in remaining):
        raise NotCancellable  # children do not travel without an adult


def _terms(
    booking: Booking, travelling: Sequence[Passenger], cancelled: Sequence[int], *,
    now: datetime, override_percent: int | None, free_until: datetime | None
) -> CancellationTerms:  # fmt: skip
    paid = booking.status == Status.CONFIRMED
    return cancellation_terms(
        seat_prices=[Money.from_minor(p.share_minor if paid else 0, booking.currency) for p in travelling],
        cancelled=cancelled,
        refundable=ledger.refundable(booking.id, booking.currency),
        departure=DepartureTerms(booking.starts_at, booking.time_zone, policy_from_json(booking.policy)),
        now=now,
        override_percent=override_percent,
        free_until=free_until,
    )
