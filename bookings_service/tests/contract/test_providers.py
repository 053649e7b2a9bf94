"""The contract of every payment provider, tested with the sandbox and with localstripe, each in its own process.

localstripe keeps no idempotency keys. Only the sandbox shows here that a key charges once. For Stripe,
integration/test_stripe_api.py tests this and whatever else localstripe lacks.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.providers import PaymentProvider
from bookings_service.payments.providers.base import (
    NothingDone,
    OutcomeUnknown,
    PaymentMethodRefused,
    ProviderPayment,
    WebhookRefused,
)
from bookings_service.payments.providers.sandbox import SandboxProvider, sign
from bookings_service.payments.providers.stripe import StripeProvider
from bookings_service.tests import stripe_doubles
from bookings_service.tests.doubles import SECRET
from shared.errors import Invalid
from shared.ids import uuid7
from shared.money import Money

NOBODY: Final = "http://127.0.0.1:9"


class ProviderUnderTest(ABC):
    """A provider, its process, and what a test does to it from outside."""

    ok: str
    declined: str

    def __init__(self, url: str, settings: Any) -> None:
        self.url, self._settings = url, settings
        self.provider = self.at(url)

    @abstractmethod
    def at(self, url: str) -> PaymentProvider:
        """Return the provider with another address."""

    @abstractmethod
    def card_with_approval(self) -> str:
        """Return a payment method whose bank asks its owner for approval."""

    @abstractmethod
    def decide(self, key: str, *, approve: bool) -> None:
        """Approve or decline, as the owner whom the bank asks."""

    @abstractmethod
    def refunded(self, key: str) -> int:
        """Return the refunded amount of a payment by the provider's own records, in its unit."""

    @abstractmethod
    def event(self, key: str, *, minor: int) -> bytes:
        """Return the body of a webhook: the payment succeeded, in EUR."""

    @abstractmethod
    def signed(self, body: bytes, *, at: float | None = None, secret: str | None = None) -> dict[str, str]:
        """Return the headers with which the provider sends a body."""


class Sandbox(ProviderUnderTest):
    ok, declined = "pm_ok", "pm_declined"

    def at(self, url: str) -> PaymentProvider:
        self._settings.PAYMENT_SANDBOX_URL = url
        return SandboxProvider()

    def card_with_approval(self) -> str:
        return "pm_action"

    def decide(self, key: str, *, approve: bool) -> None:
        page = httpx.get(f"{self.url}/v1/payments/{key}").json()["redirect_url"].replace("localhost", "127.0.0.1")
        httpx.post(page, data={"decision": "approve" if approve else "decline"})

    def refunded(self, key: str) -> int:
        return int(httpx.get(f"{self.url}/v1/payments/{key}").json()["refunded"])

    def event(self, key: str, *, minor: int) -> bytes:
        fields = {"key": key, "status": "SUCCEEDED", "amount": minor, "currency": "EUR"}
        return json.dumps({"id": "evt_1", "type": "payment.succeeded", "payment": fields}).encode()

    def signed(self, body: bytes, *, at: float | None = None, secret: str | None = None) -> dict[str, str]:
        stamp = str(int(time.time() if at is None else at))
        return {"X-Payment-Signature": f"t={stamp},v1={sign(secret=secret or SECRET, stamp=stamp, body=body)}"}


class Stripe(ProviderUnderTest):
    ok, declined = "pm_card_visa", "pm_card_chargeCustomerFail"

    def at(self, url: str) -> PaymentProvider:
        self._settings.STRIPE_API_BASE = url
        return StripeProvider()

    def card_with_approval(self) -> str:
        return stripe_doubles.card(self.url, "4000002500003155")

    def _intent(self, key: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/v1/payment_intents?limit=1000", headers=stripe_doubles.as_merchant()).json()
        return next(intent for intent in answer["data"] if intent["metadata"]["payment_id"] == key)

    def decide(self, key: str, *, approve: bool) -> None:
        intent = self._intent(key)
        form = {"client_secret": intent["client_secret"], "success": str(approve).lower(), "key": "pk_test_of_the_page"}
        httpx.post(f"{self.url}/v1/payment_intents/{intent['id']}/_authenticate", data=form).raise_for_status()

    def refunded(self, key: str) -> int:
        return int(self._intent(key)["latest_charge"]["amount_refunded"])

    def event(self, key: str, *, minor: int) -> bytes:
        about = stripe_doubles.intent(key, amount=minor, amount_received=minor)
        return json.dumps(stripe_doubles.event("payment_intent.succeeded", about, id="evt_1")).encode()

    def signed(self, body: bytes, *, at: float | None = None, secret: str | None = None) -> dict[str, str]:
        return stripe_doubles.signed(body, at=at, secret=secret or stripe_doubles.SECRET)


@pytest.fixture(params=[Sandbox, Stripe])
def tested(request: pytest.FixtureRequest, settings: Any) -> ProviderUnderTest:
    settings.PROVIDER_SECONDS = 2.0
    if request.param is Stripe:
        return Stripe(request.getfixturevalue("stripe"), settings)
    return Sandbox(request.getfixturevalue("sandbox"), settings)


def payment(method: str, minor: int = 19_990, currency: str = "EUR") -> ProviderPayment:
    return ProviderPayment(
        key=str(uuid7()), amount=Money.from_minor(minor, currency), method=method, reference="TR-TESTED"
    )


@pytest.mark.parametrize(("minor", "currency"), [(19_990, "EUR"), (5_000, "JPY"), (12_340, "KWD"), (700, "ISK")])
def test_a_payment_succeeds_and_is_found_by_its_key(tested: ProviderUnderTest, minor: int, currency: str) -> None:
    asked = payment(tested.ok, minor, currency)

    result = tested.provider.pay(asked)

    assert (result.status, result.amount) == (PaymentStatus.SUCCEEDED, Money.from_minor(minor, currency))
    assert (result.failure_code, result.redirect_url, result.client_secret) == ("", "", "")
    assert tested.provider.result_after_ending_a_decline(asked.key) == result


def test_each_payment_is_found_among_others(tested: ProviderUnderTest) -> None:
    asked = [payment(tested.ok, minor) for minor in (1_000, 2_000, 3_000)]

    for wanted in asked:
        tested.provider.pay(wanted)

    results = [tested.provider.result_after_ending_a_decline(wanted.key) for wanted in asked]
    assert [result and result.amount.minor for result in results] == [1_000, 2_000, 3_000]


def test_a_payment_that_was_never_requested_is_unknown(tested: ProviderUnderTest) -> None:
    key = str(uuid7())

    assert tested.provider.result_after_ending_a_decline(key) is None
    assert tested.provider.cancel(key) is None
    refund = tested.provider.refund(payment_key=key, key=str(uuid7()), amount=Money.from_minor(1, "EUR"))
    assert refund is RefundStatus.FAILED


def test_a_decline_is_final(tested: ProviderUnderTest) -> None:
    asked = payment(tested.declined)

    result = tested.provider.pay(asked)

    assert (result.status, result.amount, result.failure_code) == (PaymentStatus.FAILED, asked.amount, "card_declined")
    later = tested.provider.result_after_ending_a_decline(asked.key)
    assert later is not None
    assert later.status is PaymentStatus.FAILED


def test_an_unknown_method_is_refused_and_no_payment_is_made(tested: ProviderUnderTest) -> None:
    asked = payment("pm_unknown")

    with pytest.raises(PaymentMethodRefused):
        tested.provider.pay(asked)

    assert tested.provider.result_after_ending_a_decline(asked.key) is None


@pytest.mark.parametrize(("approve", "status"), [(True, PaymentStatus.SUCCEEDED), (False, PaymentStatus.FAILED)])
def test_a_person_approves_or_declines_if_the_bank_asks(
    tested: ProviderUnderTest, approve: bool, status: PaymentStatus
) -> None:
    asked = payment(tested.card_with_approval())

    waiting = tested.provider.pay(asked)

    assert waiting.status is PaymentStatus.REQUIRES_ACTION
    assert waiting.redirect_url or waiting.client_secret
    assert tested.provider.result_after_ending_a_decline(asked.key) == waiting
    tested.decide(asked.key, approve=approve)
    after = tested.provider.result_after_ending_a_decline(asked.key)
    assert after is not None
    assert (after.status, after.redirect_url, after.client_secret) == (status, "", "")
    assert bool(after.failure_code) is (status is PaymentStatus.FAILED)


def test_a_payment_can_be_cancelled_until_it_is_paid(tested: ProviderUnderTest) -> None:
    waiting, paid = payment(tested.card_with_approval()), payment(tested.ok)
    tested.provider.pay(waiting)
    tested.provider.pay(paid)

    outcomes = [tested.provider.cancel(asked.key) for asked in (waiting, paid, waiting)]

    assert [outcome and outcome.status for outcome in outcomes] == [
        PaymentStatus.FAILED,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.FAILED,
    ]
    after = tested.provider.result_after_ending_a_decline(waiting.key)
    assert after is not None
    assert after.status is PaymentStatus.FAILED


def test_a_refund_is_made_once_per_key(tested: ProviderUnderTest) -> None:
    """Seen failing for Stripe (15990 refunded) if earlier refunds are not looked for."""
    asked = payment(tested.ok)
    tested.provider.pay(asked)
    key, other = str(uuid7()), str(uuid7())

    def refund(key: str, minor: int) -> RefundStatus:
        return tested.provider.refund(payment_key=asked.key, key=key, amount=Money.from_minor(minor, "EUR"))

    assert [refund(key, 5_000), refund(key, 5_000), refund(other, 990), refund(key, 5_000)] == [
        RefundStatus.SUCCEEDED
    ] * 4
    assert tested.refunded(asked.key) == 5_990


CALLS: Final[dict[str, Callable[[PaymentProvider], object]]] = {
    "pay": lambda provider: provider.pay(payment("pm_ok")),
    "result_after_ending_a_decline": lambda provider: provider.result_after_ending_a_decline(str(uuid7())),
    "cancel": lambda provider: provider.cancel(str(uuid7())),
    "refund": lambda provider: provider.refund(
        payment_key=str(uuid7()), key=str(uuid7()), amount=Money.from_minor(1, "EUR")
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_provider_that_is_not_reached_did_nothing(tested: ProviderUnderTest, call: str) -> None:
    with pytest.raises(NothingDone):
        CALLS[call](tested.at(NOBODY))


@pytest.mark.parametrize("call", CALLS)
def test_no_answer_in_time_is_an_unknown_outcome(tested: ProviderUnderTest, settings: Any, call: str) -> None:
    """Seen failing for Stripe if its requests do not use the remaining time of the call."""
    settings.PROVIDER_SECONDS = 0.5
    with stripe_doubles.silent_server() as url:
        provider, started = tested.at(url), time.monotonic()

        with pytest.raises(OutcomeUnknown):
            CALLS[call](provider)

    assert time.monotonic() - started < 1.5


def test_a_webhook_with_a_valid_signature_is_an_event(tested: ProviderUnderTest) -> None:
    key = str(uuid7())
    body = tested.event(key, minor=12_345)

    event = tested.provider.verify_webhook(headers=tested.signed(body), body=body, now=datetime.now(UTC))

    assert (event.id, event.payment_key) == ("evt_1", key)
    assert event.result is not None
    assert (event.result.status, event.result.amount) == (PaymentStatus.SUCCEEDED, Money.from_minor(12_345, "EUR"))


FORGERIES: Final[dict[str, Callable[[ProviderUnderTest, bytes], tuple[dict[str, str], bytes]]]] = {
    "unsigned": lambda tested, body: ({}, body),
    "another secret": lambda tested, body: (tested.signed(body, secret="another"), body),
    "another body": lambda tested, body: (tested.signed(body), body.replace(b"evt_1", b"evt_2")),
    "an empty signature": lambda tested, body: (
        changed(tested.signed(body), lambda value: value.split("v1=")[0] + "v1="),
        body,
    ),
    "no time": lambda tested, body: (changed(tested.signed(body), lambda value: value.split(",")[1]), body),
    "another time": lambda tested, body: (changed(tested.signed(body), lambda value: value.replace("t=", "t=2")), body),
    "rubbish": lambda tested, body: (changed(tested.signed(body), lambda value: "=,=,,é" * 100), body),
    "letters beyond ASCII": lambda tested, body: (changed(tested.signed(body), lambda value: value + "é"), body),
    "no UTF-8": lambda tested, body: (tested.signed(body), b"\xff" + body),
    "too old": lambda tested, body: (tested.signed(body, at=time.time() - 302), body),
    "too new": lambda tested, body: (tested.signed(body, at=time.time() + 302), body),
}


def changed(headers: dict[str, str], change: Callable[[str], str]) -> dict[str, str]:
    return {name: change(value) for name, value in headers.items()}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_webhook_without_a_valid_signature_is_refused(tested: ProviderUnderTest, how: str) -> None:
    """Seen failing for Stripe with only its library's check: `too new` and `letters beyond ASCII` were accepted."""
    headers, body = FORGERIES[how](tested, tested.event(str(uuid7()), minor=1))

    with pytest.raises(WebhookRefused):
        tested.provider.verify_webhook(headers=headers, body=body, now=datetime.now(UTC))


def test_the_age_of_a_signature_is_measured_from_the_given_time(tested: ProviderUnderTest) -> None:
    body = tested.event(str(uuid7()), minor=1)
    headers = tested.signed(body)

    for seconds in (-302, 302):
        with pytest.raises(WebhookRefused):
            tested.provider.verify_webhook(
                headers=headers, body=body, now=datetime.now(UTC) + timedelta(seconds=seconds)
            )


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"{", b'{"id": "\\u0000", "type": "x", "data": {"object": {}}}']
)
def test_a_malformed_body_with_a_valid_signature_is_invalid(tested: ProviderUnderTest, body: bytes) -> None:
    with pytest.raises(Invalid):
        tested.provider.verify_webhook(headers=tested.signed(body), body=body, now=datetime.now(UTC))
