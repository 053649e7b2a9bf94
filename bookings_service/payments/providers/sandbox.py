"""The client of the payment sandbox: a process that speaks HTTP and sends signed webhooks, as a real provider does."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import httpx
from django.conf import settings

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.providers.base import (
    UNREADABLE,
    WEBHOOK_WINDOW_SECONDS,
    NothingDone,
    OutcomeUnknown,
    PaymentMethodRefused,
    PaymentProvider,
    ProviderEvent,
    ProviderPayment,
    ProviderResult,
    WebhookRefused,
)
from shared.errors import Invalid
from shared.money import Money

SIGNATURE_HEADER: Final = "X-Payment-Signature"
MOST_MINOR_UNITS: Final = 2**53


class SandboxProvider(PaymentProvider):
    """Calls PAYMENT_SANDBOX_URL. Its webhooks are signed with one of PAYMENT_WEBHOOK_SECRETS."""

    name = "sandbox"

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=settings.PAYMENT_SANDBOX_URL, timeout=settings.PROVIDER_SECONDS)

    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Take the amount, once per key."""
        body = {
            "key": payment.key,
            "amount": payment.amount.minor,
            "currency": payment.amount.currency,
            "method": payment.method,
            "reference": payment.reference,
            "webhook_url": settings.PAYMENT_WEBHOOK_URL,
        }
        return _result(self._send("POST", "/v1/payments", json=body))

    def result_after_ending_a_decline(self, key: str) -> ProviderResult | None:
        """Return the result of a payment, or None if the sandbox does not know it.

        There is nothing to cancel: a declined payment of the sandbox is final.
        """
        try:
            return _result(self._send("GET", f"/v1/payments/{key}"))
        except _Unknown:
            return None

    def cancel(self, key: str) -> ProviderResult | None:
        """Make the payment fail, unless it has ended."""
        try:
            return _result(self._send("POST", f"/v1/payments/{key}/cancel"))
        except _Unknown:
            return None

    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Refund the amount, once per key."""
        try:
            answer = self._send(
                "POST", f"/v1/payments/{payment_key}/refunds", json={"key": key, "amount": amount.minor}
            )
        except (PaymentMethodRefused, _Unknown):
            return RefundStatus.FAILED
        return RefundStatus(answer["status"])

    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Check the header `t=…,v1=…`: HMAC-SHA256 of `<t>.<body>`, within five minutes of `now`. Return the event."""
        parts = dict(part.partition("=")[::2] for part in headers.get(SIGNATURE_HEADER, "")[:300].split(","))
        stamp, signature = parts.get("t", ""), parts.get("v1", "")
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 15):
            raise WebhookRefused
        accepted = [sign(secret=secret, stamp=stamp, body=body) for secret in settings.PAYMENT_WEBHOOK_SECRETS]
        given = signature.encode(errors="replace")
        if not any(hmac.compare_digest(expected.encode(), given) for expected in accepted):
            raise WebhookRefused
        if abs(now.timestamp() - int(stamp)) > WEBHOOK_WINDOW_SECONDS:
            raise WebhookRefused
        return _event(body)

    def _send(self, verb: str, path: str, **kwargs: Any) -> dict[str, Any]:
        try:
            response = self._http.request(verb, path, **kwargs)
        except httpx.ConnectError as error:
            raise NothingDone from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise _Unknown
        if response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
            raise PaymentMethodRefused
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise NothingDone
        if response.is_error:
            raise OutcomeUnknown
        try:
            return _checked(response.json())
        except UNREADABLE as error:
            raise OutcomeUnknown from error  # an unreadable answer does not say what was done


def _checked(answer: Any) -> dict[str, Any]:
    """Return the answer about a payment or refund. Raises one of UNREADABLE if it has another form than agreed."""
    _check_text(answer)
    _result(answer)
    return answer  # type: ignore[no-any-return]


class _Unknown(Exception):
    """The sandbox has no payment under this key."""


def sign(*, secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a webhook."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _result(payment: Mapping[str, Any]) -> ProviderResult:
    amount = int(payment["amount"])
    if not 0 < amount <= MOST_MINOR_UNITS:
        raise ValueError(f"no amount: {amount}")
    return ProviderResult(
        status=PaymentStatus(payment["status"]),
        amount=Money.from_minor(amount, str(payment["currency"])[:3]),
        failure_code=str(payment.get("failure_code") or "")[:60],
        redirect_url=str(payment.get("redirect_url") or "")[:500],
        client_secret=str(payment.get("client_secret") or "")[:200],
    )


def _event(body: bytes) -> ProviderEvent:
    try:
        event = json.loads(body)
        _check_text(event)
        payment = event.get("payment")
        return ProviderEvent(
            id=str(event["id"])[:100],
            type=str(event["type"])[:60],
            payment_key=str(payment["key"])[:64] if payment else "",
            result=_result(payment) if payment else None,
        )
    except UNREADABLE:
        raise Invalid from None


def _check_text(event: Any) -> None:
    """Raise ValueError if a text cannot be stored in the database: it contains NUL or half a surrogate pair."""
    text = json.dumps(event, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError
