"""The proofs use the neighbours, the sandbox and the buyers of bookings_service's own tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from bookings_service.tests.concurrency.provider import Ear, ProviderBooks


@pytest.fixture
def provider_books(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> ProviderBooks:
    """The sandbox's own books, not ours."""
    return ProviderBooks(tmp_path_factory.getbasetemp() / "sandbox0" / "sandbox.sqlite3")


@pytest.fixture
def ear(sandbox: str, settings: Any) -> Iterator[Ear]:
    """Whoever hears the sandbox's webhooks; unheard, they would be sent again for ever."""
    heard = Ear()
    with heard.listening() as address:
        settings.PAYMENT_WEBHOOK_URL = address
        yield heard


@pytest.fixture
def quick(ear: Ear, settings: Any) -> None:
    """A sandbox that is not waited for, and travellers who may hold what they like."""
    settings.HOLD_LIMIT_BOOKINGS = settings.HOLD_LIMIT_SEATS = 0
    settings.PROVIDER_SECONDS = 0.1
