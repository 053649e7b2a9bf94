"""Translates Stripe's objects. Pure: JSON in, our results out.

An object of an unexpected form raises ValueError, KeyError or TypeError.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.providers.base import ProviderEvent, ProviderResult
from shared.money import Money, exponent

PAYMENT_ID: Final = "payment_id"
REFUND_ID: Final = "refund_id"
REFERENCE: Final = "booking_reference"

# Stripe counts these in other units than ISO 4217 does: https://docs.stripe.com/currencies#special-cases
_EXPONENTS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}

_STATUSES: Final = {
    "succeeded": PaymentStatus.SUCCEEDED,
    "processing": PaymentStatus.PROCESSING,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "canceled": PaymentStatus.FAILED,
}
# A payment intent that was declined, or never confirmed, can still be charged by whoever has its client secret.
# An intent that waits for the traveller (`requires_action`) is not among them.
DECLINED_OR_UNCONFIRMED: Final = frozenset({"requires_payment_method", "requires_confirmation"})
NOT_CANCELLABLE: Final = frozenset({"succeeded", "processing", "canceled"})

# A longer URL does not fit the database column and is left out. The client can use the client secret instead.
LONGEST_REDIRECT_URL: Final = 500

_EVENTS: Final = {
    "payment_intent.succeeded": PaymentStatus.SUCCEEDED,
    "payment_intent.processing": PaymentStatus.PROCESSING,
    "payment_intent.requires_action": PaymentStatus.REQUIRES_ACTION,
    "payment_intent.canceled": PaymentStatus.FAILED,
    # One attempt failed, but the intent allows another. The payment is FAILED only after
    # result_after_ending_a_decline() has cancelled it.
    "payment_intent.payment_failed": PaymentStatus.PROCESSING,
}

_REFUNDS: Final = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PROCESSING,
    "requires_action": RefundStatus.PROCESSING,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


def to_stripe(amount: Money) -> int:
    """Return the amount in the unit that Stripe uses for its currency.

    Raises ValueError if the amount is no multiple of it.
    """
    scaled = amount.amount.scaleb(_places(amount.currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} is finer than what Stripe takes")
    return int(scaled)


def from_stripe(amount: int, currency: str) -> Money:
    """Return Stripe's `amount` as money. Raises ValueError if it is finer than the currency's minor unit."""
    code = currency.upper()
    return Money(Decimal(amount).scaleb(-_places(code)), code)


def _places(currency: str) -> int:
    return _EXPONENTS.get(currency, exponent(currency))


def result_of(intent: Mapping[str, Any]) -> ProviderResult:
    """Return the result of a payment intent.

    Raises KeyError for a status without a result, such as `requires_payment_method`.
    """
    return _result(intent, _STATUSES[intent["status"]])


def failed(intent: Mapping[str, Any], *, code: str) -> ProviderResult:
    """Return the result of an intent whose payment failed with `code`."""
    return ProviderResult(PaymentStatus.FAILED, _amount(intent), failure_code=code[:60])


def failure_of(intent: Mapping[str, Any]) -> str:
    """Return why the last attempt failed.

    The issuer's own reason is left out: it may say that the card was reported stolen.
    """
    return str((intent.get("last_payment_error") or {}).get("code") or intent.get("cancellation_reason") or "canceled")


def key_of(stripe_object: Mapping[str, Any], name: str = PAYMENT_ID) -> str:
    """Return our key from the object's metadata, or ""."""
    return str((stripe_object.get("metadata") or {}).get(name) or "")[:64]


def refund_of(refund: Mapping[str, Any]) -> RefundStatus:
    """Return the status of a refund."""
    return _REFUNDS[refund["status"]]


def event_of(event: Mapping[str, Any]) -> ProviderEvent:
    """Return the event. Its `result` is None unless the event reports a status of a payment intent."""
    about, status = event["data"]["object"], _EVENTS.get(event["type"])
    return ProviderEvent(
        id=_text(event["id"])[:100],
        type=_text(event["type"])[:60],
        payment_key=_text(key_of(about)),
        result=None if status is None else _result(about, status),
    )


def _result(intent: Mapping[str, Any], status: PaymentStatus) -> ProviderResult:
    acting = status is PaymentStatus.REQUIRES_ACTION
    url = str(((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or "")
    return ProviderResult(
        status=status,
        amount=_amount(intent),
        failure_code=failure_of(intent)[:60] if status is PaymentStatus.FAILED else "",
        redirect_url=url if acting and len(url) <= LONGEST_REDIRECT_URL else "",
        client_secret=str(intent.get("client_secret") or "")[:200] if acting else "",
    )


def _amount(intent: Mapping[str, Any]) -> Money:
    """Return the received amount of a succeeded intent, so that a partial capture shows. Else the requested amount."""
    received = intent.get("amount_received") if intent["status"] == "succeeded" else None
    amount = int(received or intent["amount"])
    if amount <= 0:
        raise ValueError(f"no amount: {amount}")
    return from_stripe(amount, str(intent["currency"]))


def _text(value: Any) -> str:
    """Return the text. Raises ValueError if the database cannot store it: it contains NUL or half a surrogate pair."""
    text = str(value)
    text.encode()
    if "\0" in text:
        raise ValueError(text)
    return text
