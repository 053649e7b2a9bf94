"""The proofs use the neighbours, the sandbox and the buyers of bookings_service's own tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from bookings_service.tests.concurrency.provider import ProviderRecords, WebhookReceiver


@pytest.fixture
def provider_records(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> ProviderRecords:
    """The sandbox's own books, not ours."""
    return ProviderRecords(tmp_path_factory.getbasetemp() / "sandbox0" / "sandbox.sqlite3")


@pytest.fixture
def webhook_receiver(sandbox: str, settings: Any) -> Iterator[WebhookReceiver]:
    """Whoever hears the sandbox's webhooks; unheard, they would be sent again for ever."""
    receiver = WebhookReceiver()
    with receiver.listening() as address:
        settings.PAYMENT_WEBHOOK_URL = address
        yield receiver


@pytest.fixture
def short_waits(webhook_receiver: WebhookReceiver, settings: Any) -> None:
    """A sandbox that is not waited for, and travellers who may hold what they like."""
    settings.HOLD_LIMIT_BOOKINGS = settings.HOLD_LIMIT_SEATS = 0
    settings.PROVIDER_SECONDS = 0.1
