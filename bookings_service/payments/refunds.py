"""Records requested refunds, in the caller's transaction. A job of the clock pays them out afterwards."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from bookings_service.payments import ledger
from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.models import Payment, Refund
from bookings_service.payments.traces import current_trace
from shared.money import Money


def record_full_refund(booking_id: UUID, *, currency: str, reason: str, now: datetime) -> Money:
    """Record a requested refund of everything that is refundable, inside the caller's transaction.

    Return the amount, which may be zero.
    """
    amount = ledger.refundable(booking_id, currency)
    record_refund(booking_id, amount=amount, reason=reason, now=now)
    return amount


def record_refund_and_fee(
    booking_id: UUID,
    *,
    refund: Money,
    fee: Money,
    cancellation_id: UUID,
    reason: str,
    now: datetime,
    staff_reason: str = "",
) -> None:
    """Record what a cancellation refunds and what it keeps as a fee, inside the caller's transaction.

    Either may be zero.

    Raises ValueError like record_refund.
    """
    record_refund(booking_id, amount=refund, reason=reason, now=now, staff_reason=staff_reason)
    if fee.amount:
        ledger.record(ledger.Kind.FEE, booking_id, movement=cancellation_id, amount=fee, now=now)


def record_refund(
    booking_id: UUID, *, amount: Money, reason: str, now: datetime, staff_reason: str = "", staff_id: UUID | None = None
) -> list[Refund]:
    """Record that `amount` of the booking's captured payments will be refunded, inside the caller's transaction.

    Return the refunds, one for each payment that the amount is taken from; none for an amount of zero.

    Raises ValueError if `amount` is more than the captures minus the requested refunds. Check the amount first: the
    error rolls the transaction back.
    """
    remaining, refunds = amount.minor, []
    captured = (
        Payment.objects.select_for_update().filter(booking_id=booking_id, status=PaymentStatus.SUCCEEDED).order_by("id")
    )
    for payment in captured:
        part = min(remaining, payment.amount_minor - payment.refunded_minor)
        if part > 0:
            Payment.objects.filter(id=payment.id).update(refunded_minor=F("refunded_minor") + part)
            refund = Refund.objects.create(
                payment=payment, booking_id=booking_id, amount_minor=part, currency=payment.currency,
                status=RefundStatus.CREATED, reason=reason, due_at=now, created_at=now,
                note=staff_reason, staff_id=staff_id, **current_trace(),
            )  # fmt: skip
            refunds.append(refund)
            remaining -= part
    if remaining:
        raise ValueError(f"{remaining} minor units more than can be refunded")
    return refunds
