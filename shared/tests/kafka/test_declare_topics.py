"""`python -m shared.kafka.topics`: what it makes, and what it finds there."""

import secrets
from collections.abc import Iterator

import pytest

from shared.kafka.clients import admin
from shared.kafka.topics import DECLARED, declare
from shared.testing.kafka import topic_prefix


@pytest.fixture
def prefix() -> Iterator[str]:
    """A new prefix. Its topics are deleted at the end."""
    prefix = f"declared.{secrets.token_hex(4)}."
    with topic_prefix(prefix):
        yield prefix
    client, names = admin(), [f"{prefix}{topic.name}" for topic in DECLARED]
    for future in client.delete_topics(names, operation_timeout=20).values():
        future.exception(timeout=30)


def test_only_missing_topics_are_made(prefix: str) -> None:
    """Seen failing (the handle was destroyed) with an admin client that nothing kept until the answers came."""
    assert sorted(declare()) == sorted(f"{prefix}{topic.name}" for topic in DECLARED)
    assert declare() == []
