"""The client of Stripe: payment intents that are confirmed on creation, refunds, signed webhooks.

The id of our payment or refund is the idempotency key at Stripe and is kept in the object's metadata. The only thing
that Stripe learns of a traveller is the booking's reference.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import httpx
import stripe
import structlog
from django.conf import settings

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.providers import stripe_objects as objects
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
from shared.deadline import Deadline
from shared.errors import Invalid
from shared.money import Money

SIGNATURE_HEADER: Final = "Stripe-Signature"
# Stripe documents that its search may be an hour behind. We allow two hours: an intent younger than that is also looked
# for in the list of intents, which is always up to date.
INDEXED_AFTER_SECONDS: Final = 7_200
SKEW_SECONDS: Final = 300
# Statuses with which Stripe has done nothing. A 5xx is not among them: Stripe calls its outcome indeterminate.
DID_NOTHING: Final = frozenset({400, 401, 403, 404, 429})

log = structlog.get_logger(__name__)
stripe.enable_telemetry = False  # telemetry would send facts about this machine to Stripe
logging.getLogger("stripe").setLevel(
    logging.WARNING
)  # the library logs two lines per request; this module logs what matters

Intent = dict[str, Any]
_deadline: ContextVar[Deadline] = ContextVar("deadline of the call to Stripe")


class StripeProvider(PaymentProvider):
    """Calls STRIPE_API_BASE with STRIPE_API_KEY. Its webhooks are signed with STRIPE_WEBHOOK_SECRET."""

    name = "stripe"

    @cached_property
    def _stripe(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            settings.STRIPE_API_KEY,
            base_addresses={"api": settings.STRIPE_API_BASE},
            http_client=_Transport(),
            max_network_retries=0,  # the clock asks again, under the same key
        )

    @property
    def _intents(self) -> Any:
        return self._stripe.v1.payment_intents

    @property
    def _refunds(self) -> Any:
        return self._stripe.v1.refunds

    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Create and confirm an intent, once per key.

        A declined intent is cancelled before the payment counts as failed.
        """
        with _within_provider_seconds():
            with _errors_translated():
                intent = self._created(payment)
            with _errors_translated(begun=True):
                intent = intent or self._find(payment.key)
                if intent is None:
                    return ProviderResult(PaymentStatus.FAILED, payment.amount, failure_code="card_declined")
                return self._cancel_if_declined_or_unconfirmed(intent)

    def result_after_ending_a_decline(self, key: str) -> ProviderResult | None:
        """Cancel an intent that was declined or never confirmed. Return the result of the intent.

        An intent that waits for the traveller, as for 3-D Secure, stays as it is.
        """
        with _within_provider_seconds(), _errors_translated():
            intent = self._find(key)
            return self._cancel_if_declined_or_unconfirmed(intent) if intent else None

    def cancel(self, key: str) -> ProviderResult | None:
        """Cancel the intent unless it is paid or being paid, and return its state."""
        with _within_provider_seconds(), _errors_translated():
            intent = self._find(key)
            return self._cancel_if_possible(intent) if intent else None

    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Refund the amount, once per key. A refund that failed at Stripe is created again, under a new key."""
        with _within_provider_seconds(), _errors_translated():
            intent = self._find(payment_key)
            if intent is None:
                return RefundStatus.FAILED
            made = self._refunds.list(params={"payment_intent": intent["id"], "limit": 100}).auto_paging_iter()
            earlier = [refund for refund in map(_plain, made) if objects.key_of(refund, objects.REFUND_ID) == key]
            for refund in earlier:
                if (status := objects.refund_of(refund)) is not RefundStatus.FAILED:
                    return status
            try:
                refund = _plain(
                    self._refunds.create(
                        params={
                            "payment_intent": intent["id"],
                            "amount": _minor(amount),
                            "metadata": {objects.REFUND_ID: key, objects.PAYMENT_ID: payment_key},
                        },
                        options={"idempotency_key": f"{key}:{len(earlier)}"},
                    )
                )
            except (stripe.InvalidRequestError, stripe.CardError) as refusal:
                log.error("stripe.refund_refused", refund_id=key, code=refusal.code)
                return RefundStatus.FAILED
            return objects.refund_of(refund)

    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Check the signature and that its time is at most five minutes from `now`, and return the event."""
        header = headers.get(SIGNATURE_HEADER, "")
        if not header.isascii():
            raise WebhookRefused
        try:
            event = self._stripe.construct_event(body, header, settings.STRIPE_WEBHOOK_SECRET, WEBHOOK_WINDOW_SECONDS)
        except (UnicodeDecodeError, stripe.SignatureVerificationError) as error:
            raise WebhookRefused from error
        except UNREADABLE:
            raise Invalid from None
        stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
        if abs(now.timestamp() - int(stamp)) > WEBHOOK_WINDOW_SECONDS:
            raise WebhookRefused  # the library refuses only old times, and compares with this process's time
        try:
            return objects.event_of(_plain(event))
        except UNREADABLE:
            raise Invalid from None

    def _created(self, payment: ProviderPayment) -> Intent | None:
        """Create and confirm the intent. Return None if Stripe declined it without returning it.

        Raises PaymentMethodRefused and Stripe's errors.
        """
        params = {
            "amount": _minor(payment.amount),
            "currency": payment.amount.currency.lower(),
            "payment_method": payment.method,
            "payment_method_types": ["card"],
            "confirm": True,
            "metadata": {objects.PAYMENT_ID: payment.key, objects.REFERENCE: payment.reference},
        }
        if settings.STRIPE_RETURN_URL:
            params["return_url"] = settings.STRIPE_RETURN_URL
        try:
            intent = self._intents.create(params=params, options={"idempotency_key": payment.key})
        except stripe.CardError as decline:
            answer: Any = decline.json_body
            return answer["error"].get("payment_intent")  # type: ignore[no-any-return]
        except stripe.InvalidRequestError as refusal:
            if refusal.http_status == httpx.codes.NOT_FOUND or refusal.param == "payment_method":
                raise PaymentMethodRefused from refusal
            raise
        if intent.last_response.headers.get("idempotent-replayed") == "true":
            return _plain(self._intents.retrieve(intent.id))  # a replayed answer is out of date
        return _plain(intent)

    def _find(self, key: str) -> Intent | None:
        """Return the current intent of our key, or None.

        Ask Stripe's search first. It may not know a young intent yet. If it finds nothing for a young key, or is not
        available, read the list of intents. The list is always up to date. It is read from the newest
        intent back to the time at which the key was made.
        """
        try:
            query = f"metadata['{objects.PAYMENT_ID}']:'{key}'"
            hits, searched = self._intents.search(params={"query": query, "limit": 1}).data, True
        except stripe.InvalidRequestError:
            hits, searched = [], False
        if hits:
            return _plain(self._intents.retrieve(hits[0].id))
        since = _made_at(key)
        if searched and time.time() - since > INDEXED_AFTER_SECONDS:
            return None
        for intent in self._intents.list(params={"limit": 100}).auto_paging_iter():
            if intent.created < since - SKEW_SECONDS:
                return None
            if objects.key_of(candidate := _plain(intent)) == key:
                return candidate
        return None

    def _cancel_if_declined_or_unconfirmed(self, intent: Intent) -> ProviderResult:
        """Cancel an intent that was declined or never confirmed, because its client secret allows another charge.

        Return the result of the intent, whether or not it was cancelled.
        """
        if intent["status"] in objects.DECLINED_OR_UNCONFIRMED:
            return self._cancel_if_possible(intent)
        return objects.result_of(intent)

    def _cancel_if_possible(self, intent: Intent) -> ProviderResult:
        """Cancel the intent unless Stripe no longer allows it. Return its result."""
        if intent["status"] in objects.NOT_CANCELLABLE:
            return objects.result_of(intent)
        try:
            cancelled = _plain(self._intents.cancel(intent["id"]))
        except stripe.InvalidRequestError:
            cancelled = _plain(self._intents.retrieve(intent["id"]))  # its state has changed meanwhile
        if cancelled["status"] == "canceled":
            return objects.failed(cancelled, code=objects.failure_of(intent))
        return objects.result_of(cancelled)


class _Transport(stripe.HTTPClient):
    """Sends each request within the remaining time of the call, however many requests the call makes."""

    name = "httpx"

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        """Return body, status and headers. Raises APIConnectionError, caused by the error of httpx."""
        remaining = _deadline.get().remaining()
        if remaining <= 0:
            raise stripe.APIConnectionError("out of time")
        try:
            response = self._http.request(method, url, headers=headers, content=post_data, timeout=remaining)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error
        return response.text, response.status_code, response.headers


@contextmanager
def _within_provider_seconds() -> Iterator[None]:
    token = _deadline.set(Deadline.after(settings.PROVIDER_SECONDS))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def _errors_translated(*, begun: bool = False) -> Iterator[None]:
    """Turn Stripe's errors into NothingDone or OutcomeUnknown.

    If a charge may have `begun`, raise only OutcomeUnknown.
    """
    try:
        yield
    except stripe.APIConnectionError as error:
        raise (
            NothingDone if isinstance(error.__cause__, httpx.ConnectError) and not begun else OutcomeUnknown
        ) from error
    except stripe.StripeError as error:
        log.error("stripe.error", status=error.http_status, code=error.code, stripe_request_id=error.request_id)
        did_nothing = error.http_status in DID_NOTHING and not isinstance(error, stripe.IdempotencyError)
        raise (NothingDone if did_nothing and not begun else OutcomeUnknown) from error
    except UNREADABLE as error:
        raise OutcomeUnknown from error  # an unreadable answer does not say what was done


def _plain(stripe_object: Any) -> dict[str, Any]:
    return stripe_object.to_dict()  # type: ignore[no-any-return]


def _made_at(key: str) -> float:
    """Return when our key was made, in seconds since 1970. A key that is no UUIDv7 counts as very old."""
    made = UUID(key)
    return (made.int >> 80) / 1000 if made.version == 7 else 0.0


def _minor(amount: Money) -> int:
    """Return the amount in Stripe's unit. Raises NothingDone if Stripe cannot take it, because nothing was sent."""
    try:
        return objects.to_stripe(amount)
    except ValueError as error:
        raise NothingDone from error
