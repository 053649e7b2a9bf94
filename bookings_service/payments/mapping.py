"""Map rows of payments and refunds to their views, which are frozen dataclasses."""

from datetime import datetime
from typing import Final
from uuid import UUID

from bookings_service.payments.contracts import PaymentView, RefundView
from bookings_service.payments.models import Payment, Refund
from shared.money import Money

# What a SELECT reads of a payment and of a refund: the parameters of `payment_of_columns` and `refund_of_columns`.
PAYMENT_COLUMNS: Final = (
    "id, booking_id, amount_minor, currency, status, provider, failure_code, redirect_url, client_secret, created_at"
)
REFUND_COLUMNS: Final = "id, booking_id, amount_minor, currency, status, reason, created_at"


def payment_view(row: Payment) -> PaymentView:
    """Return the view of a payment. It never contains the payment method."""
    return payment_of_columns(
        row.id, row.booking_id, row.amount_minor, row.currency, row.status, row.provider, row.failure_code,
        row.redirect_url, row.client_secret, row.created_at,
    )  # fmt: skip


def payment_of_columns(
    id: UUID, booking_id: UUID, amount_minor: int, currency: str, status: str, provider: str, failure_code: str,
    redirect_url: str, client_secret: str, created_at: datetime,
) -> PaymentView:  # fmt: skip
    """Return the view of a payment from PAYMENT_COLUMNS."""
    return PaymentView(
        id=id,
        booking_id=booking_id,
        amount=Money.from_minor(amount_minor, currency),
        status=status,
        provider=provider,
        failure_code=failure_code,
        redirect_url=redirect_url,
        client_secret=client_secret,
        created_at=created_at,
    )


def refund_view(row: Refund) -> RefundView:
    """Return the view of a refund."""
    return refund_of_columns(
        row.id, row.booking_id, row.amount_minor, row.currency, row.status, row.reason, row.created_at
    )


def refund_of_columns(
    id: UUID, booking_id: UUID, amount_minor: int, currency: str, status: str, reason: str, created_at: datetime
) -> RefundView:
    """Return the view of a refund from REFUND_COLUMNS."""
    return RefundView(
        id=id,
        booking_id=booking_id,
        amount=Money.from_minor(amount_minor, currency),
        status=status,
        reason=reason,
        created_at=created_at,
    )
