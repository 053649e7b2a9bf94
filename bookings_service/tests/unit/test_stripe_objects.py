"""Stripe's amounts and events as our types."""

from decimal import Decimal
from typing import Any

import pytest

from bookings_service.payments.domain import PaymentStatus
from bookings_service.payments.providers.base import ProviderResult
from bookings_service.payments.providers.stripe_objects import event_of, from_stripe, to_stripe
from bookings_service.tests.stripe_doubles import event, intent
from shared.ids import uuid7
from shared.money import Money


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("199.90", "EUR", 19_990),
        ("5000", "JPY", 5_000),
        ("12.340", "KWD", 12_340),
        ("700", "ISK", 70_000),  # no decimals in ISO 4217 and for the cards, two at Stripe
        ("3500", "UGX", 350_000),
        ("1200", "MGA", 1_200),  # two decimals in ISO 4217, none at Stripe
    ],
)
def test_amounts_are_converted_to_stripes_unit_and_back(amount: str, currency: str, minor: int) -> None:
    money = Money(Decimal(amount), currency)

    assert to_stripe(money) == minor
    assert from_stripe(minor, currency.lower()) == money


def test_no_amount_is_rounded() -> None:
    with pytest.raises(ValueError, match="finer"):
        to_stripe(Money(Decimal("1200.50"), "MGA"))
    with pytest.raises(ValueError, match="finer"):
        from_stripe(70_050, "isk")


PAGE = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds", "return_url": None}}
DECLINE = {"code": "card_declined", "decline_code": "insufficient_funds", "type": "card_error"}
SECRET = "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH"
EUR_200 = Money.from_minor(20_000, "EUR")


@pytest.mark.parametrize(
    ("type_", "status", "changes", "result"),
    [
        ("payment_intent.succeeded", "succeeded", {}, ProviderResult(PaymentStatus.SUCCEEDED, EUR_200)),
        ("payment_intent.processing", "processing", {}, ProviderResult(PaymentStatus.PROCESSING, EUR_200)),
        (
            "payment_intent.requires_action",
            "requires_action",
            {"next_action": PAGE},
            ProviderResult(PaymentStatus.REQUIRES_ACTION, EUR_200, "", "https://hooks.stripe.com/3ds", SECRET),
        ),
        (
            "payment_intent.canceled",
            "canceled",
            {"cancellation_reason": "abandoned"},
            ProviderResult(PaymentStatus.FAILED, EUR_200, "abandoned"),
        ),
        (
            "payment_intent.canceled",
            "canceled",
            {"last_payment_error": DECLINE},
            ProviderResult(PaymentStatus.FAILED, EUR_200, "card_declined"),
        ),
    ],
)
def test_events_of_a_payment_intent(type_: str, status: str, changes: dict[str, Any], result: ProviderResult) -> None:
    key = str(uuid7())

    parsed = event_of(event(type_, intent(key, status, **changes), id="evt_7"))

    assert (parsed.id, parsed.type, parsed.payment_key, parsed.result) == ("evt_7", type_, key, result)


@pytest.mark.parametrize(("length", "kept"), [(500, 500), (501, 0)])
def test_a_redirect_url_that_is_too_long_is_dropped(length: int, kept: int) -> None:
    url = "https://hooks.stripe.com/".ljust(length, "x")
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": url}}

    parsed = event_of(event("payment_intent.requires_action", intent("k", "requires_action", next_action=action)))

    assert parsed.result is not None
    assert (len(parsed.result.redirect_url), parsed.result.client_secret) == (kept, SECRET)


def test_a_failed_attempt_leaves_the_payment_processing() -> None:
    """The intent allows another attempt until result_after_ending_a_decline() cancels it.

    Only then has the payment failed.

    Seen failing if it is FAILED at once: the traveller's browser could still pay the open intent, beside a second
    payment.
    """
    about = intent(str(uuid7()), "requires_payment_method", last_payment_error=DECLINE)

    parsed = event_of(event("payment_intent.payment_failed", about))

    assert parsed.result == ProviderResult(PaymentStatus.PROCESSING, EUR_200)


@pytest.mark.parametrize(
    "type_", ["charge.succeeded", "charge.refunded", "refund.failed", "payout.paid", "payment_intent.created"]
)
def test_other_events_have_no_payment_result(type_: str) -> None:
    parsed = event_of(event(type_, {"id": "ch_1", "object": "charge", "metadata": {}}))

    assert (parsed.type, parsed.payment_key, parsed.result) == (type_, "", None)


def test_a_payment_of_another_application_has_no_payment_key() -> None:
    about = intent("", metadata={})

    assert event_of(event("payment_intent.succeeded", about)).payment_key == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "evt_\0"},
        {"id": "evt_\ud800"},
        {"data": {}},
        {"data": {"object": {}}},
        {"data": {"object": intent("k", amount="x", amount_received=None)}},
        {"data": {"object": intent("k", currency="isk", amount_received=50)}},
    ],
)
def test_a_malformed_event_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        event_of({**event("payment_intent.succeeded", intent("k")), **broken})
