"""Read refunds: those of a traveller, and all refunds that are owed.

An owed refund is neither paid out nor written off: the clock still asks for it, or it has failed and waits for finance.
"""
# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bookings_service.payments.contracts import RefundView
from bookings_service.payments.domain import UNDER_WAY, RefundStatus
from bookings_service.payments.mapping import REFUND_COLUMNS, refund_of_columns
from bookings_service.payments.models import Refund
from shared.money import Money
from shared.statement import Statement


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
    return _REFUNDS.all(ids=list(ids), traveller_id=traveller_id)


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


_REFUNDS: Final = Statement(
    refund_of_columns,
    f"""
    SELECT {REFUND_COLUMNS} FROM payments_refund refund
    WHERE id = ANY(%(ids)s) AND EXISTS (
        SELECT FROM bookings_booking booking
        WHERE booking.id = refund.booking_id AND booking.traveller_id = %(traveller_id)s
    )
    ORDER BY created_at, id""",
)
