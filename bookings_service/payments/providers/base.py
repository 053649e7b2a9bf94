"""The interface of a payment provider. Every call carries our key, so that repeating it has no second effect."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from shared.errors import Unauthenticated
from shared.money import Money

WEBHOOK_WINDOW_SECONDS: Final = 300
# What may be raised by reading an answer of an unexpected form.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)


class OutcomeUnknown(Exception):
    """We do not know what the provider did, or will do. The clock must ask for the outcome later."""


class NothingDone(Exception):
    """The provider certainly did nothing: we sent nothing or did not reach it, or it said so. Repeating is safe."""


class PaymentMethodRefused(Exception):
    """The provider does not know the payment method; nothing was charged."""


class WebhookRefused(Unauthenticated):
    """The webhook's signature is not valid, or its time is too far from now."""


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """The payment that the provider is asked to take."""

    key: str
    amount: Money
    method: str
    reference: str


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """The state of a payment at the provider."""

    status: PaymentStatus
    amount: Money
    failure_code: str = ""
    redirect_url: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """The content of a webhook with a valid signature. `result` is None if it reports no result of a payment."""

    id: str
    type: str
    payment_key: str
    result: ProviderResult | None


class PaymentProvider(ABC):
    """A payment provider. A call gives up after about PROVIDER_SECONDS and makes no retries.

    tests/contract/test_providers.py runs the same tests against every provider.
    """

    name: str

    @abstractmethod
    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Take the amount, once per key however often it is called. A decline is FAILED, and final.

        Raises OutcomeUnknown, NothingDone, PaymentMethodRefused.
        """

    @abstractmethod
    def result_after_ending_a_decline(self, key: str) -> ProviderResult | None:
        """Return the result of a payment, or None if the provider does not know it. FAILED is final.

        If a provider allows another attempt after a decline, this call cancels the payment there. A payment that waits
        for the traveller stays live. Raises OutcomeUnknown, NothingDone.
        """

    @abstractmethod
    def cancel(self, key: str) -> ProviderResult | None:
        """Ensure that nothing is charged under the key from now on, and return the state of the payment.

        The state is SUCCEEDED if it is too late, and PROCESSING if the payment can no longer be stopped. Return None
        if the provider does not know the payment. Raises OutcomeUnknown, NothingDone.
        """

    @abstractmethod
    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Refund the amount, once per key however often it is called.

        A call after FAILED makes a new attempt.

        Return FAILED also if the provider does not know the payment. Raises OutcomeUnknown, NothingDone.
        """

    @abstractmethod
    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Return the event of a webhook.

        Raises WebhookRefused, or Invalid if the signature is valid but the body is no event.
        """
