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
    """The provider said that it did nothing: it may be asked again, or not."""


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
    """A provider. Calls take at most PROVIDER_SECONDS."""

    name: str

    @abstractmethod
    def pay(self, payment: ProviderPayment) -> ProviderResult:
        """Take the amount. Raises ProviderSilent, ProviderDown, MethodRefused."""

    @abstractmethod
    def status(self, key: str) -> ProviderResult | None:
        """Return what became of a payment, None where the provider never heard of it. Raises ProviderSilent, ProviderDown."""

    @abstractmethod
    def refund(self, *, payment_key: str, key: str, amount: Money) -> RefundStatus:
        """Give the amount back. Raises ProviderSilent, ProviderDown."""

    @abstractmethod
    def verify_webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Return the event of a webhook. Raises WebhookRefused; Invalid where a rightly signed body is no event."""
