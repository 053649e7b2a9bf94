"""reconcile_payments shows live payments and owed refunds, asks about them with --apply, and reports late ones."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from bookings_service.bookings.models import Booking
from bookings_service.bookings.services import retry_refund, write_off_refund
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.models import Payment, Refund
from bookings_service.payments.providers import configured
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.commands import last, run
from bookings_service.tests.doubles import Destinations
from shared.ids import uuid7

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

NO_PAYMENTS = "Payments: 0 live, 0 ended now, 0 late, 0 contradicted, 0 not answered.\n"
NO_REFUNDS = "Refunds: 0 not paid out, 0 paid out now, 0 late, 0 failed.\n"


def make_provider_unavailable(settings: Any) -> None:
    """Let the provider refuse connections."""
    settings.PAYMENT_SANDBOX_URL = "http://127.0.0.1:9"
    configured.cache_clear()


def a_failed_refund(buyer: Buyer, destinations: Destinations) -> Refund:
    """Return a refund that failed after its last attempt. The provider would pay it out at the next one."""
    booking = buyer.book(destinations.publish())
    buyer.pay(booking, "pm_refund_refused")
    buyer.cancel(booking)
    refund = Refund.objects.get()
    assert [pay_out.pay_out_now(refund_id=refund.id) for _ in range(7)] == ["CREATED"] * 6 + ["FAILED"]
    return refund


def test_nothing_is_reported_if_every_payment_has_ended(buyer: Buyer, destinations: Destinations) -> None:
    buyer.pay(buyer.book(destinations.publish()))

    assert run("reconcile_payments") == (0, NO_PAYMENTS + NO_REFUNDS)


def test_a_live_payment_is_shown_and_settled_with_apply(buyer: Buyer, destinations: Destinations) -> None:
    payment = buyer.pay_without_answer(buyer.book(destinations.publish()))
    assert payment.status == "PROCESSING"

    code, output = run("reconcile_payments")
    assert code == 0
    assert str(payment.id) in output
    assert "Payments: 1 live, 0 ended now, 0 late, 0 contradicted, 0 not answered.\n" in output
    assert Payment.objects.get().status == "PROCESSING"

    code, output = run("reconcile_payments", "--apply")
    assert code == 0
    assert "Payments: 1 live, 1 ended now, 0 late, 0 contradicted, 0 not answered.\n" in output
    assert Booking.objects.get().status == "CONFIRMED"


def test_a_payment_is_late_after_ten_minutes(buyer: Buyer, destinations: Destinations) -> None:
    buyer.pay(buyer.book(destinations.publish()), "pm_action")
    Payment.objects.update(created_at=F("created_at") - timedelta(seconds=601))

    code, output = run("reconcile_payments", "--apply")

    assert code == 1
    assert "Payments: 1 live, 0 ended now, 1 late, 0 contradicted, 0 not answered.\n" in output
    assert run("reconcile_payments", "--late", "3600")[0] == 0


def test_an_unavailable_provider_is_reported(buyer: Buyer, destinations: Destinations, settings: Any) -> None:
    buyer.pay(buyer.book(destinations.publish()), "pm_action")
    make_provider_unavailable(settings)

    code, output = run("reconcile_payments", "--apply")

    assert code == 1
    assert "Payments: 1 live, 0 ended now, 0 late, 0 contradicted, 1 not answered.\n" in output
    assert Payment.objects.get().status == "REQUIRES_ACTION"


def test_a_contradicting_provider_is_reported(buyer: Buyer, destinations: Destinations) -> None:
    payment, _ = buyer.pay(buyer.book(destinations.publish()))
    assert run("reconcile_payments", "--since", "2026-01-01")[0] == 0
    Payment.objects.filter(id=payment.id).update(amount_minor=F("amount_minor") + 1)

    code, output = run("reconcile_payments", "--since", "2026-01-01")

    assert code == 1
    assert "Payments: 0 live, 0 ended now, 0 late, 1 contradicted, 0 not answered.\n" in output
    assert "SUCCEEDED 1000.01 EUR" in output


def test_an_unpaid_refund_is_shown_and_paid_out_with_apply(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    buyer.pay(booking)
    buyer.cancel(booking)
    Refund.objects.update(due_at=F("due_at") + timedelta(minutes=30))

    code, output = run("reconcile_payments")
    assert (code, last(output)) == (0, "Refunds: 1 not paid out, 0 paid out now, 0 late, 0 failed.")
    assert "1000.00 EUR" in output
    assert (Refund.objects.get().status, Refund.objects.get().attempts) == ("CREATED", 0)

    code, output = run("reconcile_payments", "--apply")
    assert (code, last(output)) == (0, "Refunds: 1 not paid out, 1 paid out now, 0 late, 0 failed.")
    assert (Refund.objects.get().status, Refund.objects.get().attempts) == ("SUCCEEDED", 1)
    assert run("check_ledger")[0] == 0


def test_a_refund_is_late_after_ten_minutes(buyer: Buyer, destinations: Destinations, settings: Any) -> None:
    booking = buyer.book(destinations.publish())
    buyer.pay(booking)
    buyer.cancel(booking)
    Refund.objects.update(created_at=F("created_at") - timedelta(seconds=601))
    make_provider_unavailable(settings)

    code, output = run("reconcile_payments", "--apply")

    assert (code, last(output)) == (1, "Refunds: 1 not paid out, 0 paid out now, 1 late, 0 failed.")


def test_a_failed_refund_is_reported_until_finance_retries_it(buyer: Buyer, destinations: Destinations) -> None:
    refund = a_failed_refund(buyer, destinations)

    code, output = run("reconcile_payments", "--apply")
    assert (code, last(output)) == (1, "Refunds: 1 not paid out, 0 paid out now, 0 late, 1 failed.")
    assert "for finance" in output
    assert Refund.objects.get().attempts == 7

    retry_refund(refund_id=refund.id, staff_reason="The card is open again.", staff_id=uuid7())
    code, output = run("reconcile_payments", "--apply")
    assert (code, last(output)) == (0, "Refunds: 1 not paid out, 1 paid out now, 0 late, 0 failed.")
    assert Refund.objects.get().status == "SUCCEEDED"


def test_a_failed_refund_is_reported_until_it_is_written_off(buyer: Buyer, destinations: Destinations) -> None:
    refund = a_failed_refund(buyer, destinations)

    write_off_refund(refund_id=refund.id, staff_reason="Paid by bank transfer.", staff_id=uuid7())

    assert run("reconcile_payments") == (0, NO_PAYMENTS + NO_REFUNDS)
    assert run("check_ledger")[0] == 0
