"""What finance does with refunds: an extra refund, another attempt, a write-off.

Each has a reason, so that other staff can see later why it was done.
"""

from uuid import UUID

from django.db import transaction

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.domain.booking import is_reference
from bookings_service.bookings.domain.staff_reason import clean_staff_reason
from bookings_service.bookings.models import Booking
from bookings_service.payments import ledger
from bookings_service.payments.contracts import RefundView
from bookings_service.payments.domain import RefundStatus, check_refund_move
from bookings_service.payments.mapping import refund_view
from bookings_service.payments.models import Refund
from bookings_service.payments.refunds import record_refund
from bookings_service.payments.refusals import RefundNeedsNoDecision, RefundTooLarge
from shared.db import database_now
from shared.errors import Invalid, NotFound
from shared.idempotency.requests import IdempotentRequest
from shared.money import Money


def refund_booking(
    *, reference: str, amount: Money, staff_reason: str, staff_id: UUID, idempotency_key: str
) -> tuple[list[RefundView], BookingView]:
    """Refund `amount` without cancelling anything, once per key.

    Return a refund for each payment that it is taken from.

    Raises NotFound; Invalid if the amount is not positive, the currency is not the booking's, or there is no reason;
    RefundTooLarge for more than is refundable; KeyReused, InFlight.
    """
    staff_reason = clean_staff_reason(staff_reason)
    if amount.minor <= 0:
        raise Invalid(field="amount")
    command = {"refund": reference, "minor": amount.minor, "currency": amount.currency}
    idempotent_request = IdempotentRequest(owner=staff_id, key=idempotency_key, request=command)
    with idempotent_request.once() as write:
        booking = _booking_locked(reference)
        if write.earlier_result:
            first = Refund.objects.get(id=write.earlier_result)
            refunds = list(Refund.objects.filter(booking=booking, staff_id=staff_id, created_at=first.created_at))
            return [refund_view(refund) for refund in refunds], selectors.view_of(booking)
        if amount.currency != booking.currency:
            raise Invalid(field="currency")
        refundable = ledger.refundable(booking.id, booking.currency)
        if amount > refundable:
            raise RefundTooLarge(field="amount", most=str(refundable))
        refunds = record_refund(
            booking.id,
            amount=amount,
            reason="GIVEN_BY_STAFF",
            now=database_now(),
            staff_reason=staff_reason,
            staff_id=staff_id,
        )
        write.succeeded(result=refunds[0].id)
        return [refund_view(refund) for refund in refunds], selectors.view_of(booking)


def retry_refund(*, refund_id: UUID, staff_reason: str, staff_id: UUID) -> RefundView:
    """Let the clock ask the provider again for a failed refund.

    Raises NotFound, IllegalTransition if the refund has not failed, RefundNeedsNoDecision if it was written off, and
    Invalid if there is no reason.
    """
    staff_reason = clean_staff_reason(staff_reason)
    with transaction.atomic():
        refund = _refund_locked(refund_id)
        if refund.written_off_at is not None:
            raise RefundNeedsNoDecision
        check_refund_move(RefundStatus(refund.status), RefundStatus.PROCESSING)
        refund.status, refund.attempts, refund.due_at = RefundStatus.PROCESSING, 0, database_now()
        refund.staff_id, refund.note = staff_id, staff_reason
        refund.save()
        return refund_view(refund)


def write_off_refund(*, refund_id: UUID, staff_reason: str, staff_id: UUID) -> RefundView:
    """Write off a failed refund, which the provider will never pay out.

    Raises NotFound, RefundNeedsNoDecision, Invalid without a reason.
    """
    staff_reason = clean_staff_reason(staff_reason)
    with transaction.atomic():
        refund = _refund_locked(refund_id)
        if refund.status != RefundStatus.FAILED or refund.written_off_at is not None:
            raise RefundNeedsNoDecision
        now = database_now()
        amount = Money.from_minor(refund.amount_minor, refund.currency)
        ledger.record(ledger.Kind.WRITE_OFF, refund.booking_id, movement=refund.id, amount=amount, now=now)
        refund.written_off_at, refund.staff_id, refund.note = now, staff_id, staff_reason
        refund.save(update_fields=["written_off_at", "staff_id", "note"])
        return refund_view(refund)


def _booking_locked(reference: str) -> Booking:
    """Lock the booking. Raises NotFound."""
    booking = (
        Booking.objects.select_for_update().filter(reference=reference).first() if is_reference(reference) else None
    )
    if booking is None:
        raise NotFound
    return booking


def _refund_locked(refund_id: UUID) -> Refund:
    """Lock the refund's booking, then the refund. Raises NotFound."""
    refund = Refund.objects.filter(id=refund_id).first()
    if refund is None:
        raise NotFound
    Booking.objects.select_for_update().get(id=refund.booking_id)
    return Refund.objects.select_for_update().get(id=refund_id)
