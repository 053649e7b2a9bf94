"""What Stripe's objects say in our words. Pure: JSON in, results out; whatever is not of the form agreed on raises ValueError & co."""

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
OPEN: Final = frozenset({"requires_payment_method", "requires_confirmation"})
PAST_CLOSING: Final = frozenset({"succeeded", "processing", "canceled"})

# A longer address is not kept: cut, it would lead nowhere, and the client secret leads to the same.
LONGEST_PAGE: Final = 500

_EVENTS: Final = {
    "payment_intent.succeeded": PaymentStatus.SUCCEEDED,
    "payment_intent.processing": PaymentStatus.PROCESSING,
    "payment_intent.requires_action": PaymentStatus.REQUIRES_ACTION,
    "payment_intent.canceled": PaymentStatus.FAILED,
    # One attempt failed, and the intent is open for another: it has failed once it is closed, which asking after it does.
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
    """Return the amount in the unit that Stripe counts its currency in. Raises ValueError where that is too coarse for it."""
    scaled = amount.amount.scaleb(_places(amount.currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} is finer than what Stripe takes")
    return int(scaled)


def from_stripe(amount: int, currency: str) -> Money:
    """Return what Stripe calls `amount`. Raises ValueError where that is finer than the currency's minor unit."""
    code = currency.upper()
    return Money(Decimal(amount).scaleb(-_places(code)), code)


def _places(currency: str) -> int:
    return _EXPONENTS.get(currency, exponent(currency))


def result_of(intent: Mapping[str, Any]) -> ProviderResult:
    """Return what a payment intent says. Raises KeyError for a status that says nothing of the money, such as an open one."""
    return _result(intent, _STATUSES[intent["status"]])


def failed(intent: Mapping[str, Any], *, code: str) -> ProviderResult:
    """Return that the intent's payment failed for `code`."""
    return ProviderResult(PaymentStatus.FAILED, _amount(intent), failure_code=code[:60])


def failure_of(intent: Mapping[str, Any]) -> str:
    """Return why the intent's last attempt failed; never the issuer's own reason, which may be that the card was reported stolen."""
    return str((intent.get("last_payment_error") or {}).get("code") or intent.get("cancellation_reason") or "canceled")


def key_of(thing: Mapping[str, Any], name: str = PAYMENT_ID) -> str:
    """Return the key of ours that is kept in the object's metadata, "" for none."""
    return str((thing.get("metadata") or {}).get(name) or "")[:64]


def refund_of(refund: Mapping[str, Any]) -> RefundStatus:
    """Return where a refund stands."""
    return _REFUNDS[refund["status"]]


def event_of(event: Mapping[str, Any]) -> ProviderEvent:
    """Return what an event says. Its `result` is None where it is of anything but the course of a payment intent."""
    about, status = event["data"]["object"], _EVENTS.get(event["type"])
    return ProviderEvent(
        id=_text(event["id"])[:100],
        type=_text(event["type"])[:60],
        payment_key=_text(key_of(about)),
        result=None if status is None else _result(about, status),
    )


def _result(intent: Mapping[str, Any], status: PaymentStatus) -> ProviderResult:
    acting = status is PaymentStatus.REQUIRES_ACTION
    page = str(((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or "")
    return ProviderResult(
        status=status,
        amount=_amount(intent),
        failure_code=failure_of(intent)[:60] if status is PaymentStatus.FAILED else "",
        redirect_url=page if acting and len(page) <= LONGEST_PAGE else "",
        client_secret=str(intent.get("client_secret") or "")[:200] if acting else "",
    )


def _amount(intent: Mapping[str, Any]) -> Money:
    """Return what was received, where it was: a capture of less than was asked must show."""
    received = intent.get("amount_received") if intent["status"] == "succeeded" else None
    amount = int(received or intent["amount"])
    if amount <= 0:
        raise ValueError(f"no amount: {amount}")
    return from_stripe(amount, str(intent["currency"]))


def _text(value: Any) -> str:
    """Return the text. Raises ValueError for what no database keeps: NUL, or half of a character."""
    text = str(value)
    text.encode()
    if "\0" in text:
        raise ValueError(text)
    return text
