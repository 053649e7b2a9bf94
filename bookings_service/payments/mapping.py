"""Map rows of payments and refunds to their views, which are frozen dataclasses."""

from bookings_service.payments.contracts import PaymentView, RefundView
from bookings_service.payments.models import Payment, Refund
from shared.money import Money


def payment_view(row: Payment) -> PaymentView:
    """Return the view of a payment. It never contains the payment method."""
    return PaymentView(
        id=row.id,
        booking_id=row.booking_id,
        amount=Money.from_minor(row.amount_minor, row.currency),
        status=row.status,
        provider=row.provider,
        failure_code=row.failure_code,
        redirect_url=row.redirect_url,
        client_secret=row.client_secret,
        created_at=row.created_at,
    )


def refund_view(row: Refund) -> RefundView:
    """Return the view of a refund."""
    return RefundView(
        id=row.id,
        booking_id=row.booking_id,
        amount=Money.from_minor(row.amount_minor, row.currency),
        status=row.status,
        reason=row.reason,
        created_at=row.created_at,
    )
