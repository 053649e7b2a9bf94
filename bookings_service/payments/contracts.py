"""The views of a payment and of a refund: frozen dataclasses that leave the domain, as in bookings.contracts.

Both know their booking only by its id.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.money import Money


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One attempt to pay."""

    id: UUID
    booking_id: UUID
    amount: Money
    status: str
    provider: str
    failure_code: str
    redirect_url: str
    client_secret: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund: money that is paid back, or will be."""

    id: UUID
    booking_id: UUID
    amount: Money
    status: str
    reason: str
    created_at: datetime
