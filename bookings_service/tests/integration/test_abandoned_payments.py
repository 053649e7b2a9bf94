"""A payment that its traveller abandoned is cancelled at the provider before it counts as failed."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from django.db.models import F

from bookings_service.bookings.services import expire_holds, reconcile_due
from bookings_service.bookings.services.payment.reconcile import reconcile_now
from bookings_service.payments import ledger
from bookings_service.payments.models import Payment
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold, make_payment_stale

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


@pytest.mark.parametrize("reconcile", [lambda _: reconcile_due(), lambda id_: reconcile_now(payment_id=id_)])
def test_an_abandoned_payment_cannot_be_approved_after_it_failed(
    reconcile: Callable[[UUID], object], buyer: Buyer, destinations: Destinations, sandbox: str
) -> None:
    """The clock and the command both cancel the payment at the provider.

    Seen failing (a cancelled booking is charged) if the payment is FAILED only in our database.
    """
    booking = buyer.book(destinations.publish())
    payment, _ = buyer.pay(booking, "pm_action")
    for _ in range(2):  # the hold was extended, and ended
        end_hold(booking.id)
        expire_holds()
    make_payment_stale(payment.id)
    Payment.objects.update(created_at=F("created_at") - timedelta(hours=2))

    reconcile(payment.id)
    httpx.post(sandbox + urlsplit(payment.redirect_url).path, data={"decision": "approve"})

    assert httpx.get(f"{sandbox}/v1/payments/{payment.id}").json()["status"] == "FAILED"
    recorded = Payment.objects.get()
    assert (recorded.status, recorded.failure_code) == ("FAILED", "cancelled")
    assert ledger.paid_and_refunded([booking.id]) == {}
