"""Topics of their own for the tests of this folder, and a proxy before the run's broker."""

import secrets
from collections.abc import Iterator

import pytest

from shared.testing.kafka import own_topics, topic_prefix
from shared.testing.swallowing_proxy import SwallowingProxy, swallowing_proxy


@pytest.fixture(scope="module")
def kafka_topics() -> Iterator[None]:
    """Create every topic of the platform under a prefix of the module's own."""
    with topic_prefix(f"test.{secrets.token_hex(4)}."), own_topics():
        yield


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[SwallowingProxy]:
    """A proxy that new Kafka clients connect to instead of the broker."""
    with swallowing_proxy() as proxy:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", proxy.address)
        yield proxy
