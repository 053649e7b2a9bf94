"""Fixtures of the proofs, beside the upstreams, the sandbox and the buyers of the other tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from bookings_service.tests.concurrency.provider import ProviderRecords, WebhookReceiver


@pytest.fixture
def provider_records(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> ProviderRecords:
    """What the sandbox itself has recorded."""
    return ProviderRecords(tmp_path_factory.getbasetemp() / "sandbox0" / "sandbox.sqlite3")


@pytest.fixture
def webhook_receiver(sandbox: str, settings: Any) -> Iterator[WebhookReceiver]:
    """Receives the sandbox's webhooks, which would otherwise be sent again and again."""
    receiver = WebhookReceiver()
    with receiver.listening() as address:
        settings.PAYMENT_WEBHOOK_URL = address
        yield receiver


@pytest.fixture
def short_waits(webhook_receiver: WebhookReceiver, settings: Any) -> None:
    """Short timeouts for the sandbox, and no limit on what a traveller may hold."""
    settings.HOLD_LIMIT_BOOKINGS = settings.HOLD_LIMIT_SEATS = 0
    settings.PROVIDER_SECONDS = 0.1
