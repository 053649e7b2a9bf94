"""Payment providers, behind one interface."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings

from bookings_service.payments.providers.base import PaymentProvider
from bookings_service.payments.providers.sandbox import SandboxProvider


@cache
def configured() -> Mapping[str, PaymentProvider]:
    """Return every provider that the settings tell of, by name: what was paid with one is still looked up and refunded there."""
    providers: list[PaymentProvider] = []
    if settings.PAYMENT_SANDBOX_URL:
        providers.append(SandboxProvider())
    if settings.STRIPE_API_KEY:
        # Imported where it is used: an installation without Stripe does not pay 15 MB a process for its library.
        from bookings_service.payments.providers.stripe import StripeProvider

        providers.append(StripeProvider())
    return {provider.name: provider for provider in providers}


def provider() -> PaymentProvider:
    """Return the provider that new payments are made with (PAYMENT_PROVIDER, checked by the settings)."""
    return configured()[settings.PAYMENT_PROVIDER]


def provider_named(name: str) -> PaymentProvider | None:
    """Return the provider of that name, that a payment was made with or a webhook comes from; None where none is configured."""
    return configured().get(name)


__all__ = ["PaymentProvider", "configured", "provider", "provider_named"]
