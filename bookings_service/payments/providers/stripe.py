"""Stripe, by its own library: payment intents that this side confirms, refunds, signed webhooks.

Our payment's id is its intent's idempotency key and stands in its metadata, a refund's id likewise. Stripe is told nothing of
a traveller but the booking's reference.
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
from django.conf import settings

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from bookings_service.payments.providers import stripe_objects as objects
from bookings_service.payments.providers.base import (
    MethodRefused,
    PaymentProvider,
    ProviderDown,
    ProviderEvent,
    ProviderPayment,
    ProviderResult,
    ProviderSilent,
    WebhookRefused,
)
from shared.deadline import Deadline
from shared.errors import Invalid
from shared.money import Money

SIGNATURE_HEADER: Final = "Stripe-Signature"
WINDOW_SECONDS: Final = 300
# The search may be an hour behind, by Stripe's own words: what is younger is looked for in the list too, which never is.
INDEXED_AFTER_SECONDS: Final = 7_200
SKEW_SECONDS: Final = 300
# Refused before anything was done. No 5xx is among them: Stripe calls the outcome of those indeterminate.
DID_NOTHING: Final = frozenset({400, 401, 403, 404, 429})

log = logging.getLogger(__name__)
stripe.enable_telemetry = False  # it would tell Stripe about this machine
logging.getLogger("stripe").setLevel(logging.WARNING)  # two lines a request, of what is told here where it matters

Intent = dict[str, Any]
_deadline: ContextVar[Deadline] = ContextVar("deadline of the call to Stripe")
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)


class StripeProvider(PaymentProvider):
    """Speaks to STRIPE_API_BASE as STRIPE_API_KEY; its webhooks are signed with STRIPE_WEBHOOK_SECRET."""

    name = "stripe"

    @cached_property
    def _stripe(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            settings.STRIPE_API_KEY,
            base_addresses={"api": settings.STRIPE_API_BASE},
            http_client=_Transport(),
            max_network_retries=0,  # the reconciler repeats, under the same key
        )

    @property
    def _intents(self) -> Any:
        return self._stripe.v1.payment_intents

    @property
    def _refunds(self) -> Any:
        return self._stripe.v1.refunds

    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Take the amount, once per key: create the intent confirmed. One that was declined is closed before it is called failed."""
        with _within_the_limit():
            with _understood():
                intent = self._created(payment)
            with _understood(begun=True):
                intent = intent or self._found(payment.key)
                if intent is None:
                    return ProviderResult(PaymentStatus.FAILED, payment.amount, failure_code="card_declined")
                return self._outcome(intent)

    def status(self, key: str) -> ProviderResult | None:
        """Return what became of a payment. Of an intent that is open without being charged, see that it never will be."""
        with _within_the_limit(), _understood():
            intent = self._found(key)
            return self._outcome(intent) if intent else None

    def cancel(self, key: str) -> ProviderResult | None:
        """Close the intent unless it is paid or being paid, and return what became of it."""
        with _within_the_limit(), _understood():
            intent = self._found(key)
            return self._closed(intent) if intent else None

    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Give the amount back, once per key; one that Stripe failed is made anew, under a key of its own."""
        with _within_the_limit(), _understood():
            intent = self._found(payment_key)
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
                log.error("stripe refuses refund %s: %s", key, refusal.code)
                return RefundStatus.FAILED
            return objects.refund_of(refund)

    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Check the signature by Stripe's library, and that the stamp is at most five minutes from `now`; then read the event."""
        header = headers.get(SIGNATURE_HEADER, "")
        if not header.isascii():
            raise WebhookRefused
        try:
            event = self._stripe.construct_event(body, header, settings.STRIPE_WEBHOOK_SECRET, WINDOW_SECONDS)
        except (UnicodeDecodeError, stripe.SignatureVerificationError) as error:
            raise WebhookRefused from error
        except _UNREADABLE:
            raise Invalid from None
        stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
        if abs(now.timestamp() - int(stamp)) > WINDOW_SECONDS:
            raise WebhookRefused  # the library refuses what is old alone, and by this process's clock
        try:
            return objects.event_of(_plain(event))
        except _UNREADABLE:
            raise Invalid from None

    def _created(self, payment: ProviderPayment) -> Intent | None:
        """Create the intent confirmed; None where Stripe declined it without showing it. Raises MethodRefused and Stripe's errors."""
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
            told: Any = decline.json_body
            return told["error"].get("payment_intent")  # type: ignore[no-any-return]
        except stripe.InvalidRequestError as refusal:
            if refusal.http_status == httpx.codes.NOT_FOUND or refusal.param == "payment_method":
                raise MethodRefused from refusal
            raise
        if intent.last_response.headers.get("idempotent-replayed") == "true":
            return _plain(self._intents.retrieve(intent.id))  # a replay says what was, not what is
        return _plain(intent)

    def _found(self, key: str) -> Intent | None:
        """Return the intent made for our key as it is now, None where there is none.

        By the search, and for what is younger than the search may be behind, by the list: it is current, newest first, and
        read back to when the key was made. An account without search is read back as far as it takes.
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
            if objects.key_of(found := _plain(intent)) == key:
                return found
        return None

    def _outcome(self, intent: Intent) -> ProviderResult:
        """Return what became of a payment; an open intent is closed first, or its client secret could still charge what we call failed."""
        return self._closed(intent) if intent["status"] in objects.OPEN else objects.result_of(intent)

    def _closed(self, intent: Intent) -> ProviderResult:
        if intent["status"] in objects.PAST_CLOSING:
            return objects.result_of(intent)
        try:
            closed = _plain(self._intents.cancel(intent["id"]))
        except stripe.InvalidRequestError:
            closed = _plain(self._intents.retrieve(intent["id"]))  # it moved on meanwhile, or was closed already
        if closed["status"] == "canceled":
            return objects.failed(closed, code=objects.failure_of(intent))
        return objects.result_of(closed)


class _Transport(stripe.HTTPClient):
    """Sends within what is left of the call, however many requests it takes."""

    name = "httpx"

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, *, _usage: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        """Return body, status and headers. Raises APIConnectionError, with httpx's own error as its cause."""
        left = _deadline.get().remaining()
        if left <= 0:
            raise stripe.APIConnectionError("out of time")
        try:
            response = self._http.request(method, url, headers=headers, content=post_data, timeout=left)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error
        return response.text, response.status_code, response.headers


@contextmanager
def _within_the_limit() -> Iterator[None]:
    token = _deadline.set(Deadline.after(settings.PROVIDER_SECONDS))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def _understood(*, begun: bool = False) -> Iterator[None]:
    """Say in our words why Stripe did not answer; once a charge is `begun`, nothing it says means that nothing was done."""
    try:
        yield
    except stripe.APIConnectionError as error:
        raise (
            ProviderDown if isinstance(error.__cause__, httpx.ConnectError) and not begun else ProviderSilent
        ) from error
    except stripe.StripeError as error:
        log.error("stripe answers %s %s: %s", error.http_status, error.code, error.request_id)
        did_nothing = error.http_status in DID_NOTHING and not isinstance(error, stripe.IdempotencyError)
        raise (ProviderDown if did_nothing and not begun else ProviderSilent) from error
    except _UNREADABLE as error:
        raise ProviderSilent from error  # an answer that cannot be read says nothing of what was done


def _plain(thing: Any) -> dict[str, Any]:
    return thing.to_dict()  # type: ignore[no-any-return]


def _made_at(key: str) -> float:
    """Return when a key of ours was made, in seconds since 1970: it is a UUIDv7. Any other is taken for as old as can be."""
    made = UUID(key)
    return (made.int >> 80) / 1000 if made.version == 7 else 0.0


def _minor(amount: Money) -> int:
    """Return the amount as Stripe counts it. Raises ProviderDown where it cannot: it was not asked at all."""
    try:
        return objects.to_stripe(amount)
    except ValueError as error:
        raise ProviderDown from error
