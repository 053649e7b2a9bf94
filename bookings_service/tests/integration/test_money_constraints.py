"""The database itself protects the ledger and the refunds: constraints and triggers refuse what the code never writes."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from bookings_service.payments.models import LedgerEntry, Payment, Refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


def test_the_ledger_is_balanced_at_every_commit(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    one_side = LedgerEntry(
        movement=uuid4(), booking_id=booking.id, account="PROVIDER", kind="CAPTURE", amount_minor=100, currency="EUR",
        at=booking.created_at,
    )  # fmt: skip

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        one_side.save()

    assert LedgerEntry.objects.count() == 0


@pytest.mark.parametrize(
    "change", ["UPDATE payments_ledgerentry SET amount_minor = 1", "DELETE FROM payments_ledgerentry"]
)
def test_ledger_entries_cannot_be_changed_or_deleted(buyer: Buyer, destinations: Destinations, change: str) -> None:
    buyer.pay(buyer.book(destinations.publish()))

    with pytest.raises(IntegrityError, match="appended"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert LedgerEntry.objects.count() == 2


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_zero_or_less_is_impossible(buyer: Buyer, destinations: Destinations, amount: int) -> None:
    booking = buyer.book(destinations.publish())
    payment, _ = buyer.pay(booking)

    with pytest.raises(IntegrityError, match="refund_positive"), transaction.atomic():
        Refund.objects.create(
            payment_id=payment.id, booking_id=booking.id, amount_minor=amount, currency="EUR", status="CREATED", reason="x",
            due_at=booking.created_at, created_at=booking.created_at,
        )  # fmt: skip


def test_no_more_is_refunded_than_was_captured(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    payment, _ = buyer.pay(booking)

    with pytest.raises(IntegrityError, match="payment_never_refunds_more"), transaction.atomic():
        Payment.objects.filter(id=payment.id).update(refunded_minor=booking.total.minor + 1)
