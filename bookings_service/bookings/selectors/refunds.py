"""Read refunds that are not paid out: the clock still asks for them, or they have failed and wait for finance."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookings_service.payments.domain import OWED, RefundStatus
from bookings_service.payments.models import Refund
from shared.money import Money


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """A refund that is not paid out. `next_at` is when the clock asks the provider again, None for a failed refund."""

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


def owed_refunds() -> list[OwedRefund]:
    """Return every refund that is neither paid out nor written off, the oldest first."""
    rows = Refund.objects.filter(status__in=[*OWED, RefundStatus.FAILED], written_off_at=None)
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
