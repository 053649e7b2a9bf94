"""Hostile events of accounts cost a process little: memory is given back, and the key set is not fetched in a loop."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.travel.events.v1 import signing_keys_pb2, users_pb2
from shared import account_feed
from shared.account_feed import REFETCH_SECONDS, AccountFeed
from shared.auth.revocations import Revocations
from shared.cloudevents import Envelope, to_json
from shared.events import event_type, topic_name
from shared.ids import uuid7


class Arrived:
    """A record as the Kafka client returns it."""

    def __init__(self, message: Any) -> None:
        self._topic = topic_name(event_type(type(message)).topic)
        self._envelope = Envelope(
            id=str(uuid7()),
            type=event_type(type(message)).type,
            source="users",
            key=str(uuid7()),
            sequence=1,
            occurred_at=datetime.now(UTC),
            value=to_json(message).encode(),
        )

    def headers(self) -> list[tuple[str, bytes]]:
        return self._envelope.headers()

    def value(self) -> bytes:
        return self._envelope.value

    def key(self) -> bytes:
        return self._envelope.key.encode()

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0


def test_a_session_is_not_remembered_longer_than_its_tokens_can_be_valid(monkeypatch):
    """Seen failing (the first session is kept until 2099, and every later one behind it) without the bound."""
    now = [time.time()]
    known = Revocations(clock=lambda: now[0])
    monkeypatch.setattr(account_feed, "revocations", known)
    forged, later = uuid7(), uuid7()
    until = Timestamp()
    until.FromDatetime(datetime(2099, 1, 1, tzinfo=UTC))

    event = users_pb2.UserSessionRevoked(session_id=str(forged), access_until=until)
    AccountFeed()._handle([Arrived(event)])
    assert known.has_ended(forged)
    now[0] += 3_700
    known.note(later, until=now[0] + 300)

    assert not known.has_ended(forged)
    assert len(known) == 1


class CountedKeys:
    """A key set that counts how often it is fetched."""

    def __init__(self, *, away: bool = False) -> None:
        self.fetches = 0
        self._away = away

    def refetch(self) -> bool:
        self.fetches += 1
        return not self._away


@pytest.mark.parametrize("away", [False, True])
def test_a_flood_of_changed_keys_fetches_them_seldom_and_not_too_late(monkeypatch, away):
    """Seen failing (50 fetches) without the pause between two fetches."""
    keys, now = CountedKeys(away=away), [100.0]
    monkeypatch.setattr(account_feed, "key_set", lambda: keys)
    feed = AccountFeed(clock=lambda: now[0])

    for _ in range(50):
        feed._handle([Arrived(signing_keys_pb2.SigningKeysChanged(key_id="k"))])
        now[0] += REFETCH_SECONDS / 50
    assert keys.fetches == 1
    now[0] += 1.0
    feed._handle([])

    assert keys.fetches == 2
