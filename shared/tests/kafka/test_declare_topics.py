"""`python -m shared.kafka.topics`: what it makes, and what it finds there."""

import secrets
from collections.abc import Iterator

import pytest

from shared.kafka.clients import admin
from shared.kafka.topics import DECLARED, declare


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new prefix. Its topics are deleted at the end."""
    prefix = f"declared.{secrets.token_hex(4)}."
    monkeypatch.setenv("KAFKA_TOPIC_PREFIX", prefix)
    yield prefix
    client = admin()
    for future in client.delete_topics([f"{prefix}{topic.name}" for topic in DECLARED], operation_timeout=20).values():
        future.exception(timeout=30)


def test_only_missing_topics_are_made(prefix: str) -> None:
    """Seen failing (the handle was destroyed) with an admin client that nothing kept until the answers came."""
    assert sorted(declare()) == sorted(f"{prefix}{topic.name}" for topic in DECLARED)
    assert declare() == []
