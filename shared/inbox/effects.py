"""The effect of an event on the database, exactly once: inbox row, handler and outcome in one transaction.

Knows nothing of Kafka's loop and offsets. Every failure is raised, and the loop decides what it means.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from google.protobuf.message import Message

from shared.cloudevents import BadEvent, Envelope
from shared.inbox import letters, receipts
from shared.inbox.models import DeadLetter
from shared.kafka.handlers import Handlers, Received
from shared.kafka.outcomes import is_deploy_fault, is_unavailable
from shared.kafka.records import Record, event_of
from shared.telemetry import bind_request

log = structlog.get_logger(__name__)


class Effects:
    """The effects of events on consumer `name` through its `handlers`; an event without a handler has none."""

    def __init__(self, *, name: str, handlers: Handlers) -> None:
        self._name = name
        self._handlers = dict(handlers)

    def apply(self, record: Record) -> None:
        """Let one record take effect once, or park it behind an earlier dead letter of its key.

        Raises BadEvent, and what the handler raises.
        """
        envelope, message = event_of(record)
        if type(message) not in self._handlers:
            return
        with transaction.atomic():
            key = (record.topic, record.key)
            if letters.is_blocked(consumer=self._name, keys=[key]) and letters.park_behind(
                consumer=self._name, record=record
            ):
                log.warning("event_parked", consumer=self._name, event_id=envelope.id, type=envelope.type)
                return
            self._once(envelope, message)

    def apply_all(self, records: Sequence[Record]) -> bool:
        """Try the whole batch in one transaction. Return whether it committed; if not, no attempt is counted."""
        try:
            events = [(record, *event_of(record)) for record in records]
            events = [event for event in events if type(event[2]) in self._handlers]
            if not events:
                return True
            with transaction.atomic():
                keys = [(record.topic, record.key) for record, _, _ in events]
                if letters.is_blocked(consumer=self._name, keys=keys):
                    return False
                event_ids = list(dict.fromkeys(envelope.id for _, envelope, _ in events))
                taken, at = receipts.receive(consumer=self._name, event_ids=event_ids)
                waiting = set(taken)
                for _, envelope, message in events:
                    if envelope.id in waiting:
                        waiting.discard(envelope.id)
                        self._handle(envelope, message, at)
        except Exception as error:  # noqa: BLE001 -- after any error each record is tried by itself
            log.info("batch_split", consumer=self._name, size=len(records), cause=type(error).__name__)
            return False
        return True

    def retry_oldest(self, topic: str, key: str) -> bool:
        """Retry the key's oldest open dead letter. Return whether it took effect: if so, there may be another.

        Raises the error if a dependency is unavailable or the deploy is at fault.
        """
        letter: DeadLetter | None = None
        try:
            with transaction.atomic():
                letter = letters.oldest_to_retry(consumer=self._name, topic=topic, key=key)
                if letter is None:
                    return False
                envelope, message = event_of(letters.record_of(letter))
                if type(message) in self._handlers:
                    self._once(envelope, message)
                letters.mark_retried(letter)
            return True
        except Exception as error:
            if letter is None or is_unavailable(error) or is_deploy_fault(error):
                raise
            bad = isinstance(error, BadEvent)
            fault = DeadLetter.Fault.MESSAGE if bad else DeadLetter.Fault.HANDLER
            cause = str(error) if bad else cause_of(error)
            letters.keep_again(dead_letter_id=letter.id, fault=fault, cause=cause)
            log.warning("dead_letter_failed_again", consumer=self._name, event_id=letter.event_id, cause=cause)
            return False

    def _once(self, envelope: Envelope, message: Message) -> None:
        taken, at = receipts.receive(consumer=self._name, event_ids=[envelope.id])
        if taken:
            self._handle(envelope, message, at)

    def _handle(self, envelope: Envelope, message: Message, at: datetime) -> None:
        received = Received(
            at=at,
            event_id=envelope.id,
            type=envelope.type,
            key=envelope.key,
            sequence=envelope.sequence,
            request_id=envelope.request_id,
        )
        with bind_request(request_id=envelope.request_id, traceparent=envelope.traceparent):
            self._handlers[type(message)](message, received=received)


def cause_of(error: BaseException) -> str:
    """Return a failure as the cause of a dead letter, without the halves of surrogate pairs that no database stores."""
    return f"{type(error).__name__}: {error}"[:500].encode("utf-8", "backslashreplace").decode()
