"""Carry out a cancellation: money, booking and seats change in one transaction, under the booking's lock."""

from datetime import datetime

from django.db import transaction

from bookings_service.bookings import events, selectors
from bookings_service.bookings.contracts import Actor, BookingView
from bookings_service.bookings.domain.booking import Action, Reason, Status
from bookings_service.bookings.models import Booking, CancellationQuote, Passenger
from bookings_service.bookings.refusals import QuoteExpired, QuoteOutdated
from bookings_service.bookings.services.booking.transition import transition
from bookings_service.bookings.services.cancellation.cancellation_quote import stands_as_quoted
from bookings_service.bookings.services.seats.release import release
from bookings_service.payments.refunds import record_full_refund, record_refund_and_fee
from shared.db import database_now
from shared.errors import NotFound
from shared.failpoints import failpoint
from shared.money import Money


def carry_out(unlocked: CancellationQuote | None, *, reason: Reason, actor: Actor) -> BookingView:
    """Cancel as the quote says. A repeated call returns the booking as it is now.

    Raises NotFound if there is no quote, QuoteExpired, QuoteOutdated.
    """
    if unlocked is None:
        raise NotFound
    with transaction.atomic():
        now = database_now()
        booking = Booking.objects.select_for_update().get(id=unlocked.booking_id)
        quote = CancellationQuote.objects.select_for_update().get(id=unlocked.id)
        if quote.confirmed_at is None:
            if quote.expires_at <= now:
                raise QuoteExpired
            if not stands_as_quoted(booking, quote, now=now):
                raise QuoteOutdated
            quote.confirmed_at = now
            quote.save(update_fields=["confirmed_at"])
            _apply(booking, quote, reason=reason, actor=actor, now=now)
        view = selectors.view_of(booking)
        failpoint("cancel.before_commit")
    failpoint("cancel.after_commit")
    return view


def _apply(booking: Booking, quote: CancellationQuote, *, reason: Reason, actor: Actor, now: datetime) -> None:
    """Cancel as quoted: request the refund, keep the fee, and release the seats."""
    refund = Money.from_minor(quote.refund_minor, quote.currency)
    record_refund_and_fee(
        booking.id, refund=refund, fee=Money.from_minor(quote.kept_minor, quote.currency), cancellation_id=quote.id,
        reason=reason if quote.whole else Reason.PASSENGERS_CANCELLED, now=now, staff_reason=quote.note,
    )  # fmt: skip
    if quote.whole:
        _cancel_whole_booking(booking, refund=refund, reason=reason, actor=actor, now=now, staff_reason=quote.note)
    else:
        _cancel_passengers(booking, quote, refund=refund, actor=actor, now=now)


def cancel_with_full_refund(booking: Booking, *, reason: Reason, actor: Actor, now: datetime) -> None:
    """Cancel the whole booking and request a refund of everything refundable."""
    refund = record_full_refund(booking.id, currency=booking.currency, reason=reason, now=now)
    _cancel_whole_booking(booking, refund=refund, reason=reason, actor=actor, now=now)


def _cancel_passengers(
    booking: Booking, quote: CancellationQuote, *, refund: Money, actor: Actor, now: datetime
) -> None:  # fmt: skip
    seats = Passenger.objects.filter(id__in=quote.passengers, cancelled_at__isnull=True).update(cancelled_at=now)
    booking.seats -= seats
    transition(
        booking, Action.CANCEL_PASSENGERS, reason=Reason.PASSENGERS_CANCELLED,
        event=events.passengers_cancelled(seats=seats, refund=refund), actor=actor, now=now, staff_reason=quote.note,
    )  # fmt: skip
    release(departure_id=booking.departure_id, sold=seats, now=now)


def _cancel_whole_booking(
    booking: Booking, *, refund: Money, reason: Reason, actor: Actor, now: datetime, staff_reason: str = ""
) -> None:  # fmt: skip
    was_paid = booking.status == Status.CONFIRMED
    event = events.cancelled(refund=refund)
    transition(booking, Action.CANCEL, reason=reason, event=event, actor=actor, now=now, staff_reason=staff_reason)
    held, sold = (0, booking.seats) if was_paid else (booking.seats, 0)
    release(departure_id=booking.departure_id, held=held, sold=sold, now=now)
