"""A payment that its payer walked away from: closed at the provider before it is called failed."""

from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from django.db.models import F

from bookings_service.bookings.services import expire_holds, reconcile_due
from bookings_service.payments import ledger
from bookings_service.payments.models import Payment
from bookings_service.tests.conftest import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold, make_payment_stale

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


def test_whoever_finds_the_page_of_an_abandoned_payment_cannot_pay_for_nothing(
    buyer: Buyer, destinations: Destinations, sandbox: str
) -> None:
    """Seen failing where it was called FAILED here alone: approved afterwards, the provider charged for a booking long cancelled."""
    booking = buyer.book(destinations.offer())
    payment, _ = buyer.pay(booking, "pm_action")
    for _ in range(2):  # the hold was extended, and ended
        end_hold(booking.id)
        expire_holds()
    make_payment_stale(payment.id)
    Payment.objects.update(created_at=F("created_at") - timedelta(hours=2))

    reconcile_due()
    httpx.post(sandbox + urlsplit(payment.redirect_url).path, data={"decision": "approve"})

    assert httpx.get(f"{sandbox}/v1/payments/{payment.id}").json()["status"] == "FAILED"
    recorded = Payment.objects.get()
    assert (recorded.status, recorded.failure_code) == ("FAILED", "cancelled")
    assert ledger.balances([booking.id]) == {}
