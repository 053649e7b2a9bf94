"""Reading payments and refunds."""

from collections.abc import Collection
from uuid import UUID

from bookings_service.payments.contracts import PaymentView, RefundView
from bookings_service.payments.mappers import payment_view, refund_view
from bookings_service.payments.models import Payment, Refund


def payments_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[PaymentView]:
    """Return those of the payments that are of the traveller's bookings."""
    return [payment_view(row) for row in Payment.objects.filter(id__in=ids, booking__traveller_id=traveller_id)]


def refunds_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[RefundView]:
    """Return those of the refunds that are of the traveller's bookings."""
    return [refund_view(row) for row in Refund.objects.filter(id__in=ids, booking__traveller_id=traveller_id)]
