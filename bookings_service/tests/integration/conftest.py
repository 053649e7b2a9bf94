"""The scripted Stripe: a server with the answers that a test prepares, and the client that calls it."""

from collections.abc import Iterator
from typing import Any

import pytest

from bookings_service.payments.providers.stripe import StripeProvider
from bookings_service.tests import stripe_doubles
from bookings_service.tests.stripe_doubles import Scripted


@pytest.fixture
def script(settings: Any) -> Iterator[Scripted]:
    """The answers that Stripe gives, and the requests that it gets."""
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = stripe_doubles.API_KEY, stripe_doubles.SECRET
    settings.STRIPE_RETURN_URL, settings.PROVIDER_SECONDS = "", 2.0
    with stripe_doubles.scripted() as script:
        settings.STRIPE_API_BASE = script.url
        yield script


@pytest.fixture
def stripe_client(script: Scripted) -> StripeProvider:
    """The client, which calls the scripted Stripe."""
    return StripeProvider()
