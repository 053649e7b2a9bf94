"""Read refunds: those of a traveller, and all refunds that are owed.

An owed refund is neither paid out nor written off: the clock still asks for it, or it has failed and waits for finance.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookings_service.payments.contracts import RefundView
from bookings_service.payments.domain import UNDER_WAY, RefundStatus
from bookings_service.payments.mapping import refund_view
from bookings_service.payments.models import Refund
from shared.money import Money


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """A refund that is neither paid out nor written off.

    `next_at` is when the clock asks the provider again, None for a failed refund.
    """

    id: UUID
    reference: str
    status: str
    amount: Money
    attempts: int
    begun_at: datetime
    next_at: datetime | None

    @property
    def has_failed(self) -> bool:
        """Whether it waits for finance, who retry it or write it off."""
        return self.status == RefundStatus.FAILED


def refunds_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[RefundView]:
    """Return the refunds among `ids` that are of the traveller's bookings."""
    return [refund_view(row) for row in Refund.objects.filter(id__in=ids, booking__traveller_id=traveller_id)]


def owed_refunds() -> list[OwedRefund]:
    """Return every owed refund, the oldest first."""
    rows = Refund.objects.filter(status__in=[*UNDER_WAY, RefundStatus.FAILED], written_off_at=None)
    return [
        OwedRefund(
            id=row.id,
            reference=row.booking.reference,
            status=row.status,
            amount=Money.from_minor(row.amount_minor, row.currency),
            attempts=row.attempts,
            begun_at=row.created_at,
            next_at=None if row.status == RefundStatus.FAILED else row.due_at,
        )
        for row in rows.select_related("booking").order_by("created_at", "id")
    ]
