"""What a process must know of accounts within seconds: which sessions have ended, and that the signing keys changed.

Each process that verifies access tokens calls `account_feed().start()` after its last fork. A thread then reads the
events of users_service. It begins with those of one lifetime of an access token ago, so a new process knows every
session that still matters. While Kafka is away, nothing new is learnt: tokens of ended sessions are accepted up to
their own end.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final
from uuid import UUID

import structlog
from confluent_kafka import Message as KafkaMessage

from contracts.travel.events.v1 import signing_keys_pb2, users_pb2
from shared.auth.open_connections import open_connections
from shared.auth.revocations import revocations
from shared.auth.tokens import key_set
from shared.cloudevents import Envelope
from shared.events import BROADCASTS, event_type
from shared.kafka.broadcast import BroadcastReader, from_seconds_ago
from shared.kafka.records import Record, event_of
from shared.settings.env import env

REFETCH_SECONDS: Final = 2.0  # between two fetches of the key set, however many events ask for one
_LONGEST_SECONDS: Final = 3_600  # for which an ended session is remembered, unless access tokens live longer
_MARGIN_SECONDS: Final = 60  # clocks differ, and an event reaches Kafka after its change
_EVENTS: Final = [event_type(message) for message in BROADCASTS["every process that verifies access tokens"]]
_TYPES: Final = {event.type for event in _EVENTS}
_TOPICS: Final = [event.topic for event in _EVENTS]

log = structlog.get_logger(__name__)


class AccountFeed:
    """The reader of one process. `on_keys_changed` has what else must forget old keys, beside the key set."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_keys_changed: list[Callable[[], object]] = []
        self._lifetime = env.whole_number("ACCESS_TOKEN_SECONDS", default=300)
        self._leeway = env.whole_number("TOKEN_LEEWAY_SECONDS", default=30)
        self._keys_are_old = False
        self._clock = clock
        self._next_fetch = 0.0
        self._reader = BroadcastReader(
            name="account-feed",
            topics=_TOPICS,
            start_at=from_seconds_ago(self._lifetime + self._leeway + _MARGIN_SECONDS),
            handle=self._handle,
        )

    def start(self) -> None:
        """Start reading, unless it has started."""
        env.str("KAFKA_BOOTSTRAP_SERVERS")  # a process without it ends here, not in the thread
        self._reader.start()

    def stop(self) -> None:
        """Stop reading soon. Does not wait."""
        self._reader.stop()

    def _handle(self, messages: Sequence[KafkaMessage]) -> None:
        for message in messages:
            record = Record.of(message)
            try:
                if record.defect or record.attribute("ce_type") in _TYPES:
                    self._apply(*event_of(record))
            except Exception as error:  # noqa: BLE001 - one malformed record must not end the reader
                log.warning("record_skipped", topic=record.topic, offset=record.offset, cause=type(error).__name__)
        if self._keys_are_old and self._clock() >= self._next_fetch:
            self._fetch_keys()

    def _fetch_keys(self) -> None:
        """Fetch the key set, and check what old keys had admitted. The reader tries again if that fails."""
        self._next_fetch = self._clock() + REFETCH_SECONDS
        if key_set().refetch():
            self._keys_are_old = False
            open_connections.check_again()

    def _apply(self, envelope: Envelope, message: object) -> None:
        if isinstance(message, users_pb2.UserSessionRevoked):
            self._end_session(envelope, message)
        elif isinstance(message, signing_keys_pb2.SigningKeysChanged):
            self._keys_are_old = True
            for forget in self.on_keys_changed:
                forget()

    def _end_session(self, envelope: Envelope, event: users_pb2.UserSessionRevoked) -> None:
        session_id = UUID(event.session_id)
        if event.HasField("access_until"):
            until = event.access_until.ToSeconds() + 1.0
        else:
            until = envelope.occurred_at.timestamp() + self._lifetime + self._leeway
        if until > (now := time.time()):
            # Otherwise a forged event would be kept for ever, and whatever comes after it.
            revocations.note(session_id, until=min(until, now + max(_LONGEST_SECONDS, self._lifetime + self._leeway)))
            open_connections.end_session(session_id)


@cache
def account_feed() -> AccountFeed:
    """Return the process's feed."""
    return AccountFeed()
