"""Cancel a booking for a traveller, for staff or for the clock, under its lock in the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from bookings_service.bookings import events
from bookings_service.bookings.contracts import Actor, PassengerKind
from bookings_service.bookings.domain.booking import Action, Reason, Status
from bookings_service.bookings.domain.cancellation import CancellationTerms, Trip, cancellation_terms
from bookings_service.bookings.models import Booking, CancellationQuote, Passenger
from bookings_service.bookings.refusals import NotCancellable
from bookings_service.bookings.services.booking.history import transition
from bookings_service.bookings.services.seats.release import release
from bookings_service.bookings.snapshots import policy_from_json, texts_to_json
from bookings_service.payments import ledger
from bookings_service.payments.refunds import refund_and_keep, refund_everything
from shared.errors import NotFound
from shared.money import Money


def quote_for(
    booking: Booking, *, passenger_ids: Collection[UUID], now: datetime, override_percent: int | None = None,
    staff_id: UUID | None = None, note: str = "",
) -> CancellationQuote:  # fmt: skip
    """Record what cancelling the passengers would give back now. Without passengers, quote the whole booking.

    Raises NotFound if a passenger is not of the booking. Raises NotCancellable if the booking or a passenger is cancelled, if the trip has
    begun, if only some passengers of an unpaid booking are named, or if children would travel without an adult.
    """
    passengers = list(booking.passengers.all())
    travelling = [passenger for passenger in passengers if passenger.cancelled_at is None]
    selected = set(passenger_ids) or {passenger.id for passenger in travelling}
    _check(booking, passengers=passengers, travelling=travelling, selected=selected, now=now)
    cancelled = [index for index, passenger in enumerate(travelling) if passenger.id in selected]
    terms = _terms(booking, travelling, cancelled, now=now, override_percent=override_percent)
    return CancellationQuote.objects.create(
        booking=booking,
        passengers=sorted(selected),
        whole=len(selected) == len(travelling),
        booking_status=booking.status,
        booking_seats=booking.seats,
        currency=booking.currency,
        refund_minor=terms.refund.minor,
        kept_minor=terms.kept.minor,
        explanation=texts_to_json(terms.explanation),
        staff_id=staff_id,
        note=note,
        expires_at=now + settings.QUOTE_LIFETIME,
    )


def stands_as_quoted(booking: Booking, quote: CancellationQuote, *, now: datetime) -> bool:
    """Return whether the quote still holds: same status and seats, enough is refundable, and the trip has not begun."""
    unchanged = (booking.status, booking.seats) == (quote.booking_status, quote.booking_seats)
    is_refundable = ledger.refundable(booking.id, booking.currency).minor >= quote.refund_minor + quote.kept_minor
    return unchanged and is_refundable and now < booking.starts_at


def apply(booking: Booking, quote: CancellationQuote, *, reason: Reason, actor: Actor, now: datetime) -> None:
    """Cancel as quoted: request the refund, keep the fee, and release the seats."""
    refund = Money.from_minor(quote.refund_minor, quote.currency)
    refund_and_keep(
        booking.id, refund=refund, fee=Money.from_minor(quote.kept_minor, quote.currency), cancellation_id=quote.id,
        reason=reason if quote.whole else Reason.PASSENGERS_CANCELLED, now=now, note=quote.note,
    )  # fmt: skip
    if quote.whole:
        _cancel_whole(booking, refund=refund, reason=reason, actor=actor, now=now, note=quote.note)
    else:
        _cancel_some(booking, quote, refund=refund, actor=actor, now=now)


def cancel_in_full(booking: Booking, *, reason: Reason, actor: Actor, now: datetime) -> None:
    """Cancel the whole booking and request a refund of everything refundable."""
    refund = refund_everything(booking.id, currency=booking.currency, reason=reason, now=now)
    _cancel_whole(booking, refund=refund, reason=reason, actor=actor, now=now)


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
    booking: Booking, travelling: Sequence[Passenger], cancelled: Sequence[int], *, now: datetime, override_percent: int | None
) -> CancellationTerms:  # fmt: skip
    paid = booking.status == Status.CONFIRMED
    return cancellation_terms(
        shares=[Money.from_minor(p.share_minor if paid else 0, booking.currency) for p in travelling],
        cancelled=cancelled,
        refundable=ledger.refundable(booking.id, booking.currency),
        trip=Trip(booking.starts_at, booking.time_zone, policy_from_json(booking.policy)),
        now=now,
        override_percent=override_percent,
    )


def _cancel_some(
    booking: Booking, quote: CancellationQuote, *, refund: Money, actor: Actor, now: datetime
) -> None:  # fmt: skip
    seats = Passenger.objects.filter(id__in=quote.passengers, cancelled_at__isnull=True).update(cancelled_at=now)
    booking.seats -= seats
    transition(
        booking, Action.CANCEL_PASSENGERS, reason=Reason.PASSENGERS_CANCELLED,
        event=events.passengers_cancelled(seats=seats, refund=refund), actor=actor, now=now, note=quote.note,
    )  # fmt: skip
    release(departure_id=booking.departure_id, sold=seats, now=now)


def _cancel_whole(
    booking: Booking, *, refund: Money, reason: Reason, actor: Actor, now: datetime, note: str = ""
) -> None:  # fmt: skip
    was_paid = booking.status == Status.CONFIRMED
    event = events.cancelled(refund=refund)
    transition(booking, Action.CANCEL, reason=reason, event=event, actor=actor, now=now, note=note)
    held, sold = (0, booking.seats) if was_paid else (booking.seats, 0)
    release(departure_id=booking.departure_id, held=held, sold=sold, now=now)
