"""Map rows of payments and refunds to their views, which are frozen dataclasses."""

from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from bookings_service.payments.contracts import PaymentView, RefundView
from bookings_service.payments.models import Payment, Refund
from shared.money import Money

# The parameters of `payment_of_columns` and `refund_of_columns`: attributes of a row, and columns of a SELECT.
_PAYMENT_COLUMNS: Final = (
    "id", "booking_id", "amount_minor", "currency", "status", "provider", "failure_code", "redirect_url",
    "client_secret", "created_at",
)  # fmt: skip
_REFUND_COLUMNS: Final = ("id", "booking_id", "amount_minor", "currency", "status", "reason", "created_at")
PAYMENT_COLUMNS: Final = ", ".join(_PAYMENT_COLUMNS)
REFUND_COLUMNS: Final = ", ".join(_REFUND_COLUMNS)


def payment_view(row: Payment) -> PaymentView:
    """Return the view of a payment. It never contains the payment method."""
    return payment_of_columns(*attrgetter(*_PAYMENT_COLUMNS)(row))


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
    return refund_of_columns(*attrgetter(*_REFUND_COLUMNS)(row))


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
