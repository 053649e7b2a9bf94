"""Asking for refunds. What asks for one writes it in its own transaction; `services/refund/pay_out.py` pays it out afterwards."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.models import Payment, Refund
from shared.money import Money


def request_refund(
    booking_id: UUID, *, amount: Money, reason: str, now: datetime, note: str = "", staff_id: UUID | None = None
) -> list[Refund]:
    """Note that `amount` of the booking's captured payments is owed back, inside the caller's transaction; nothing for nothing.

    Return the refunds, one for each payment it is taken from. The constraint on the payment refuses more than was captured.
    """
    left, refunds = amount.minor, []
    captured = (
        Payment.objects.select_for_update().filter(booking_id=booking_id, status=PaymentStatus.SUCCEEDED).order_by("id")
    )
    for payment in captured:
        part = min(left, payment.amount_minor - payment.refunded_minor)
        if part > 0:
            Payment.objects.filter(id=payment.id).update(refunded_minor=F("refunded_minor") + part)
            refund = Refund.objects.create(
                payment=payment, booking_id=booking_id, amount_minor=part, currency=payment.currency,
                status=RefundStatus.CREATED, reason=reason, due_at=now, created_at=now,
                note=note, staff_id=staff_id,
            )  # fmt: skip
            refunds.append(refund)
            left -= part
    if left:
        raise ValueError(
            f"{left} more than was captured cannot be given back"
        )  # an error of the program: it commits nothing
    return refunds
