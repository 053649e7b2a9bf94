"""Payment providers, behind one interface."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings

from bookings_service.payments.providers.base import PaymentProvider
from bookings_service.payments.providers.sandbox import SandboxProvider


@cache
def configured() -> Mapping[str, PaymentProvider]:
    """Return every provider that the settings configure, by name.

    A payment is looked up and refunded at the provider that took it.
    """
    providers: list[PaymentProvider] = []
    if settings.PAYMENT_SANDBOX_URL:
        providers.append(SandboxProvider())
    if settings.STRIPE_API_KEY:
        # Imported here so that a process without Stripe does not spend 15 MB on its library.
        from bookings_service.payments.providers.stripe import StripeProvider

        providers.append(StripeProvider())
    return {provider.name: provider for provider in providers}


def provider() -> PaymentProvider:
    """Return the provider that new payments are made with (PAYMENT_PROVIDER, checked by the settings)."""
    return configured()[settings.PAYMENT_PROVIDER]


def provider_named(name: str) -> PaymentProvider | None:
    """Return the provider of a payment or a webhook by its name, or None if it is not configured."""
    return configured().get(name)


__all__ = ["PaymentProvider", "configured", "provider", "provider_named"]
