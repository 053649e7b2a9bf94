"""Refunds at Stripe: what is sent, and what the answers mean. The answers are as Stripe's API reference shows them."""

from typing import Final

import pytest

from bookings_service.payments.domain import RefundStatus
from bookings_service.payments.providers.base import NothingDone, OutcomeUnknown
from bookings_service.payments.providers.stripe import StripeProvider
from bookings_service.tests.stripe_doubles import Answer, Scripted, error, hits, intent, old_key, page, refund
from shared.ids import uuid7
from shared.money import Money

INTENTS: Final = "/v1/payment_intents"
INTENT: Final = f"{INTENTS}/pi_3MtwBwLkdIwHu7ix28a3tqPa"
REFUNDS: Final = "/v1/refunds"


def make_refund(
    stripe_client: StripeProvider, *, payment_key: str, key: str, minor: int = 5_000, currency: str = "EUR"
) -> RefundStatus:
    return stripe_client.refund(payment_key=payment_key, key=key, amount=Money.from_minor(minor, currency))


@pytest.fixture
def paid(script: Scripted) -> str:
    """Return the key of a payment that succeeded at Stripe and has no refund."""
    key = old_key()
    script.answers("GET", f"{INTENTS}/search", hits(intent(key)))
    script.answers("GET", INTENT, intent(key))
    script.answers("GET", REFUNDS, page(url=REFUNDS))
    return key


@pytest.mark.parametrize(
    ("stripe_status", "status"),
    [
        ("succeeded", RefundStatus.SUCCEEDED),
        ("pending", RefundStatus.PROCESSING),
        ("requires_action", RefundStatus.PROCESSING),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.FAILED),
    ],
)
def test_a_refund_is_requested_under_our_key(
    stripe_client: StripeProvider, script: Scripted, paid: str, stripe_status: str, status: RefundStatus
) -> None:
    key = str(uuid7())
    script.answers("POST", REFUNDS, refund(key, stripe_status))

    assert make_refund(stripe_client, payment_key=paid, key=key, minor=700, currency="ISK") is status

    sent = script.requests[-1]
    assert (sent.path, sent.idempotency_key) == (REFUNDS, f"{key}:0")
    assert sent.form == {
        "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "amount": "70000",  # Stripe counts the krona in hundredths
        "metadata[refund_id]": key,
        "metadata[payment_id]": paid,
    }


@pytest.mark.parametrize(
    ("stripe_status", "status"), [("succeeded", RefundStatus.SUCCEEDED), ("pending", RefundStatus.PROCESSING)]
)
def test_an_existing_refund_is_not_made_again(
    stripe_client: StripeProvider, script: Scripted, paid: str, stripe_status: str, status: RefundStatus
) -> None:
    """This holds after any time: Stripe forgets idempotency keys after a day, but a refund's metadata keeps our key."""
    key = str(uuid7())
    script.answers("GET", REFUNDS, page(refund("another", id="re_1"), refund(key, stripe_status), url=REFUNDS))

    assert make_refund(stripe_client, payment_key=paid, key=key) is status
    assert f"POST {REFUNDS}" not in script.paths()


def test_a_failed_refund_is_made_again_under_a_new_key(
    stripe_client: StripeProvider, script: Scripted, paid: str
) -> None:
    """Under the same idempotency key Stripe would only repeat that it failed."""
    key = str(uuid7())
    script.answers("GET", REFUNDS, page(refund(key, "failed"), url=REFUNDS))
    script.answers("POST", REFUNDS, refund(key, id="re_2"))

    assert make_refund(stripe_client, payment_key=paid, key=key) is RefundStatus.SUCCEEDED
    assert script.requests[-1].idempotency_key == f"{key}:1"


@pytest.mark.parametrize("code", ["charge_already_refunded", "amount_too_large", "charge_disputed"])
def test_a_refund_that_stripe_refuses_fails(
    stripe_client: StripeProvider, script: Scripted, paid: str, code: str
) -> None:
    script.answers("POST", REFUNDS, error(400, code=code))

    assert make_refund(stripe_client, payment_key=paid, key=str(uuid7())) is RefundStatus.FAILED


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (error(429), NothingDone),
        (error(500), OutcomeUnknown),
        (error(503), OutcomeUnknown),
        (error(400, type="idempotency_error"), OutcomeUnknown),
        (Answer({"id": "re_1", "object": "refund", "status": "odd"}), OutcomeUnknown),
    ],
)
def test_the_outcome_of_an_unanswered_refund_is_unknown(
    stripe_client: StripeProvider, script: Scripted, paid: str, answer: Answer, refusal: type[Exception]
) -> None:
    script.answers("POST", REFUNDS, answer)

    with pytest.raises(refusal):
        make_refund(stripe_client, payment_key=paid, key=str(uuid7()))
