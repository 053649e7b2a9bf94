"""Read payments for the comparison with the provider."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookings_service.payments.domain import LIVE
from bookings_service.payments.models import Payment
from shared.money import Money


@dataclass(frozen=True, slots=True)
class LivePayment:
    """A payment whose end is not known."""

    id: UUID
    reference: str
    status: str
    amount: Money
    begun_at: datetime
    asked_at: datetime


def live_payments() -> list[LivePayment]:
    """Return every live payment, the one that was asked about least recently first."""
    rows = Payment.objects.filter(status__in=LIVE).select_related("booking").order_by("asked_at")
    return [
        LivePayment(
            id=row.id,
            reference=row.booking.reference,
            status=row.status,
            amount=Money.from_minor(row.amount_minor, row.currency),
            begun_at=row.created_at,
            asked_at=row.asked_at,
        )
        for row in rows
    ]


def ended_since(*, since: datetime) -> list[UUID]:
    """Return the payments made since then that have succeeded or failed, oldest first."""
    rows = Payment.objects.filter(created_at__gte=since).exclude(status__in=LIVE)
    return list(rows.order_by("created_at").values_list("id", flat=True))
