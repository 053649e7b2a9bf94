"""Cancelling, in two steps: a quote explains what comes back, and is confirmed before it expires or the booking changes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from bookings_service.bookings import events, inventory, selectors
from bookings_service.bookings.contracts import Actor, ActorKind, BookingView, CancellationQuoteView
from bookings_service.bookings.domain import Action, Reason, Status, cancellation_terms, is_reference, next_status
from bookings_service.bookings.history import record
from bookings_service.bookings.models import Booking, CancellationQuote, Passenger
from bookings_service.bookings.refusals import NotCancellable, QuoteExpired, QuoteOutdated
from bookings_service.bookings.snapshots import policy_from_json, texts_to_json
from bookings_service.payments import refunding
from shared.auth import Traveller
from shared.db import database_now
from shared.errors import NotFound
from shared.money import Money


def quote_cancellation(
    *, reference: str, passenger_ids: Collection[UUID], traveller: Traveller
) -> CancellationQuoteView:
    """Explain, line by line, what cancelling the passengers (all, where none is named) would give back now.

    Raises NotFound where the booking or a passenger is not the traveller's, NotCancellable.
    """
    with transaction.atomic():
        now = database_now()
        booking = _own(reference=reference, traveller_id=traveller.id)
        living = [passenger for passenger in booking.passengers.all() if passenger.cancelled_at is None]
        wanted = set(passenger_ids) or {passenger.id for passenger in living}
        if wanted - {passenger.id for passenger in booking.passengers.all()}:
            raise NotFound
        if booking.status == Status.CANCELLED or now >= booking.starts_at or wanted - {p.id for p in living}:
            raise NotCancellable
        whole = len(wanted) == len(living)
        if booking.status == Status.PENDING and not whole:
            raise NotCancellable
        left = [passenger for passenger in living if passenger.id not in wanted]
        if left and all(passenger.kind == "CHILD" for passenger in left):
            raise NotCancellable  # children do not travel alone
        terms = cancellation_terms(
            shares=_paid_shares(booking, living),
            cancelled=[index for index, passenger in enumerate(living) if passenger.id in wanted],
            policy=policy_from_json(booking.policy),
            starts_at=booking.starts_at,
            time_zone=booking.time_zone,
            now=now,
        )
        quote = CancellationQuote.objects.create(
            booking=booking,
            passengers=sorted(wanted),
            whole=whole,
            booking_status=booking.status,
            booking_seats=booking.seats,
            currency=booking.currency,
            refund_minor=terms.refund.minor,
            kept_minor=terms.kept.minor,
            explanation=texts_to_json(terms.explanation),
            expires_at=now + settings.CANCELLATION_QUOTE_LIFETIME,
        )
        return selectors.cancellation_quote_view(quote)


def cancel_booking(*, cancellation_quote_id: UUID, traveller: Traveller) -> BookingView:
    """Cancel as quoted: seats go back, the refund is on its way. Asked again, it answers with the booking as it is now.

    Raises NotFound, QuoteExpired, QuoteOutdated.
    """
    with transaction.atomic():
        now = database_now()
        found = CancellationQuote.objects.filter(id=cancellation_quote_id, booking__traveller_id=traveller.id).first()
        if found is None:
            raise NotFound
        booking = Booking.objects.select_for_update().get(id=found.booking_id)
        quote = CancellationQuote.objects.select_for_update().get(id=found.id)
        if quote.confirmed_at is None:
            if quote.expires_at <= now:
                raise QuoteExpired
            stands_as_quoted = (booking.status, booking.seats) == (quote.booking_status, quote.booking_seats)
            if not stands_as_quoted or now >= booking.starts_at:
                raise QuoteOutdated
            quote.confirmed_at = now
            quote.save(update_fields=["confirmed_at"])
            _apply(booking, quote, actor=Actor(ActorKind.TRAVELLER, traveller.id), now=now)
        return selectors.view_of(booking)


def cancel_in_full(booking: Booking, *, reason: Reason, actor: Actor, now: datetime) -> None:
    """Cancel the whole booking and give back all that is still paid, under the booking's lock in the caller's transaction."""
    living = [passenger for passenger in booking.passengers.all() if passenger.cancelled_at is None]
    refund = sum(_paid_shares(booking, living), Money.zero(booking.currency))
    _cancel_whole(booking, refund=refund, reason=reason, actor=actor, now=now)


def _apply(booking: Booking, quote: CancellationQuote, *, actor: Actor, now: datetime) -> None:
    refund = Money.from_minor(quote.refund_minor, quote.currency)
    if quote.whole:
        _cancel_whole(booking, refund=refund, reason=Reason.CANCELLED_BY_TRAVELLER, actor=actor, now=now)
        return
    seats = Passenger.objects.filter(id__in=quote.passengers, cancelled_at__isnull=True).update(cancelled_at=now)
    booking.status = next_status(Status(booking.status), Action.CANCEL_PASSENGERS)
    booking.reason = Reason.PASSENGERS_CANCELLED
    booking.seats -= seats
    record(
        booking, "booking.passengers_cancelled", actor=actor, now=now, build=events.passengers_cancelled(seats, refund)
    )
    refunding.request_refund(booking, amount=refund, reason=booking.reason, now=now)
    inventory.release_sold(departure_id=booking.departure_id, seats=seats)


def _cancel_whole(booking: Booking, *, refund: Money, reason: Reason, actor: Actor, now: datetime) -> None:
    was_paid = booking.status == Status.CONFIRMED
    booking.status = next_status(Status(booking.status), Action.CANCEL)
    booking.reason = reason
    booking.hold_expires_at = None
    record(booking, "booking.cancelled", actor=actor, now=now, build=events.cancelled(refund))
    refunding.request_refund(booking, amount=refund, reason=reason, now=now)
    release = inventory.release_sold if was_paid else inventory.release_held
    release(departure_id=booking.departure_id, seats=booking.seats)


def _paid_shares(booking: Booking, living: Sequence[Passenger]) -> list[Money]:
    """Return what was paid for each passenger who still travels: their share of the price, nothing before the payment."""
    paid = booking.status == Status.CONFIRMED
    return [Money.from_minor(passenger.share_minor if paid else 0, booking.currency) for passenger in living]


def _own(*, reference: str, traveller_id: UUID) -> Booking:
    own = Booking.objects.select_for_update().filter(reference=reference, traveller_id=traveller_id)
    found = own.first() if is_reference(reference) else None
    if found is None:
        raise NotFound
    return found
