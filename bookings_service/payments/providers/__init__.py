"""Payment providers, behind one interface."""

from functools import cache

from bookings_service.payments.providers.base import PaymentProvider
from bookings_service.payments.providers.sandbox import SandboxProvider


@cache
def provider() -> PaymentProvider:
    """Return the provider of this installation (PAYMENT_PROVIDER, checked by the settings)."""
    return SandboxProvider()


def provider_named(name: str) -> PaymentProvider | None:
    """Return the provider whose webhooks come under `name`, or None."""
    return provider() if name == provider().name else None


__all__ = ["PaymentProvider", "provider", "provider_named"]
