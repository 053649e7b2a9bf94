"""What a payment provider can do for us. Every call carries a key of ours, so that repeating it does nothing twice."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bookings_service.payments.domain import PaymentStatus, RefundStatus
from shared.errors import Unauthenticated
from shared.money import Money


class ProviderSilent(Exception):
    """The provider did not answer in time: what became of the call is unknown, and must be asked."""


class ProviderDown(Exception):
    """The provider did nothing, for sure: it was not reached, or said so. It may be asked again, or not."""


class MethodRefused(Exception):
    """The provider does not know the payment method; nothing was charged."""


class WebhookRefused(Unauthenticated):
    """The webhook is not rightly signed, or signed too long ago."""


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """What the provider is asked to take."""

    key: str
    amount: Money
    method: str
    reference: str


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """What the provider says of a payment."""

    status: PaymentStatus
    amount: Money
    failure_code: str = ""
    redirect_url: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """What a rightly signed webhook says. `result` is None where it is of no payment."""

    id: str
    type: str
    payment_key: str
    result: ProviderResult | None


class PaymentProvider(ABC):
    """A provider. A call takes at most PROVIDER_SECONDS and repeats nothing; tests/contract/test_providers.py holds each one to this."""

    name: str

    @abstractmethod
    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Take the amount, once per key however often it is asked; a decline is FAILED, and final.

        Raises ProviderSilent, ProviderDown, MethodRefused.
        """

    @abstractmethod
    def status(self, key: str) -> ProviderResult | None:
        """Return what became of a payment, None where the provider never heard of it. Raises ProviderSilent, ProviderDown."""

    @abstractmethod
    def cancel(self, key: str) -> ProviderResult | None:
        """See that nothing is charged under the key from now on, and return what became of it, SUCCEEDED where it is too late.

        PROCESSING where it can no longer be stopped; None where the provider never heard of it. Raises ProviderSilent, ProviderDown.
        """

    @abstractmethod
    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Give the amount back, once per key however often it is asked; a refund that FAILED is tried again.

        FAILED as well where the provider never heard of the payment. Raises ProviderSilent, ProviderDown.
        """

    @abstractmethod
    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Return the event of a webhook. Raises WebhookRefused; Invalid where a rightly signed body is no event."""
