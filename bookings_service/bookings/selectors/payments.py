"""Read payments: those of a traveller, and all of them for the comparison with the provider."""
# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bookings_service.payments.contracts import PaymentView
from bookings_service.payments.domain import LIVE
from bookings_service.payments.mapping import PAYMENT_COLUMNS, payment_of_columns
from bookings_service.payments.models import Payment
from shared.money import Money
from shared.statement import Statement


@dataclass(frozen=True, slots=True)
class LivePayment:
    """A payment whose end is not known."""

    id: UUID
    reference: str
    status: str
    amount: Money
    begun_at: datetime
    asked_at: datetime


def payments_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[PaymentView]:
    """Return the payments among `ids` that are of the traveller's bookings."""
    return _PAYMENTS.all(ids=list(ids), traveller_id=traveller_id)


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


def ended_payments_made_since(*, since: datetime) -> list[UUID]:
    """Return the ids of the payments made since `since` that have succeeded or failed, oldest first."""
    rows = Payment.objects.filter(created_at__gte=since).exclude(status__in=LIVE)
    return list(rows.order_by("created_at").values_list("id", flat=True))


_PAYMENTS: Final = Statement(
    payment_of_columns,
    f"""
    SELECT {PAYMENT_COLUMNS} FROM payments_payment payment
    WHERE id = ANY(%(ids)s) AND EXISTS (
        SELECT FROM bookings_booking booking
        WHERE booking.id = payment.booking_id AND booking.traveller_id = %(traveller_id)s
    )
    ORDER BY created_at, id""",
)
