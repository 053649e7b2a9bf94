"""The effect of an event on the database, exactly once: inbox row, handler and outcome in one transaction.

Knows nothing of Kafka's loop, offsets and threads. The loop decides what a raised failure means. What must wait, for an
earlier event of its key, the brake of its type or a newer release, is kept here and raises nothing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from django.db import DataError, transaction
from google.protobuf.message import Message

from shared.cloudevents import BadEvent, Envelope
from shared.events import message_class
from shared.inbox import letters, receipts
from shared.inbox.brake import Brake, BrakeLimits
from shared.inbox.models import DeadLetter
from shared.inbox.skipping import count_skipped
from shared.kafka.handlers import Handlers, Received
from shared.kafka.outcomes import NeedsUpgrade, is_unavailable
from shared.kafka.records import Record, event_of
from shared.telemetry import bind_request

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 5
MOST_SKIPPED_TYPES: Final = 500  # that one process counts by name, so that invented names fill neither table nor log
_OTHER_TYPES: Final = "(other types)"
_BRAKED: Final = "waits for the brake of its type"
_Event = tuple[Record, Envelope, Message | None]


class Effects:
    """The effects of events on consumer `name` through its `handlers`; an event without a handler has none."""

    def __init__(self, *, name: str, handlers: Handlers, brake: BrakeLimits | None = None) -> None:
        self._name = name
        self._handlers = dict(handlers)
        self._brake = Brake(consumer=name, limits=brake)
        self._released_after_upgrade = False
        self._logged: set[str] = set()

    def apply(self, record: Record, *, again: bool = False) -> None:
        """Let one record take effect once, or keep it until it may. `again` tells the handler that staff ask twice.

        Raises BadEvent, and what the handler raises.
        """
        envelope, message = event_of(record)
        if self._has_no_effect(envelope, message):
            if message is None:
                with transaction.atomic():
                    self._skip([(record, envelope, message)])
            return
        try:
            with transaction.atomic():
                if self._set_aside(record, envelope, message) or message is None:
                    return
                self._once(envelope, message, again=again)
        except NeedsUpgrade as error:
            with transaction.atomic():
                self._wait_for_upgrade(record, envelope, cause=str(error))
            return
        self._brake.note_success(envelope.type, envelope.key)

    def apply_all(self, records: Sequence[Record]) -> bool:
        """Try the whole batch in one transaction. Return whether it committed; if not, no attempt is counted."""
        try:
            events: list[_Event] = [(record, *event_of(record)) for record in records]
            skipped = [event for event in events if event[2] is None and not event[1].required]
            effective = [event for event in events if not self._has_no_effect(event[1], event[2])]
            if skipped or effective:
                with transaction.atomic():
                    if effective and not self._take_all(effective):
                        return False
                    self._skip(skipped)
        except Exception as error:  # noqa: BLE001 -- after any error each record is tried by itself
            log.info("batch_split", consumer=self._name, size=len(records), cause=type(error).__name__)
            return False
        for _, envelope, _ in effective:
            self._brake.note_success(envelope.type, envelope.key)
        return True

    def give_up(self, record: Record, *, fault: DeadLetter.Fault, cause: str, attempts: int) -> None:
        """Keep `record` as a dead letter. If its handler failed, that may brake its type."""
        with transaction.atomic():
            letters.keep_dead_letter(consumer=self._name, record=record, fault=fault, cause=cause, attempts=attempts)
            if fault == DeadLetter.Fault.HANDLER:
                self._brake.note_failure(record.attribute("ce_type"), record.key, cause=cause)

    def keys_to_retry(self) -> list[tuple[str, str]]:
        """Probe the braked types whose pause is over. Return each (topic, key) whose oldest letter is due.

        The first call makes the letters due that waited for this release. Call it every few seconds, from one thread.

        Raises the error if a dependency is unavailable.
        """
        if not self._released_after_upgrade:
            known = letters.release_after_upgrade(consumer=self._name, knows=lambda type_: bool(message_class(type_)))
            if known:
                log.warning("letters_due_after_upgrade", consumer=self._name, letters=known)
            self._released_after_upgrade = True
        for event_type in self._brake.types_to_probe():
            self._probe(event_type)
        return letters.waiting_keys(consumer=self._name)

    def retry_oldest(self, topic: str, key: str) -> bool:
        """Retry the key's oldest open dead letter. Return whether it took effect: if so, there may be another.

        What waited without a fault of its own gets as many attempts as a new event. Staff's retry is one attempt.

        Raises the error if a dependency is unavailable.
        """
        letter: DeadLetter | None = None
        try:
            with transaction.atomic():
                letter = letters.oldest_to_retry(consumer=self._name, topic=topic, key=key)
                if letter is None:
                    return False
                if letter.status != DeadLetter.Status.RETRYING and letter.event_type in self._brake.braked_types():
                    letters.keep_again(
                        letter, status=DeadLetter.Status.BRAKED, fault=DeadLetter.Fault.NONE, cause=_BRAKED
                    )
                    return False
                self._take_effect(letter)
        except Exception as error:
            if letter is None or is_unavailable(error):
                raise
            self._retry_failed(letter, error)
            return False
        self._brake.note_success(letter.event_type, letter.key)
        self._brake.release(letter.event_type)  # staff's retry proves as much as a probe
        return True

    # ------------------------------------------------------------------ new events

    def _has_no_effect(self, envelope: Envelope, message: Message | None) -> bool:
        if message is None:
            return not envelope.required
        return type(message) not in self._handlers

    def _set_aside(self, record: Record, envelope: Envelope, message: Message | None) -> bool:
        """Keep the record and return True if it must wait: for its key, a newer release, or the brake of its type."""
        key = (record.topic, record.key)
        if letters.is_blocked(consumer=self._name, keys=[key]) and letters.park_behind(
            consumer=self._name, record=record
        ):
            log.warning("event_parked", consumer=self._name, event_id=envelope.id, type=envelope.type)
            return True
        if message is None:
            self._wait_for_upgrade(record, envelope, cause=_unknown(envelope))
            return True
        if envelope.type in self._brake.braked_types():
            letters.keep_waiting(consumer=self._name, record=record, fault=DeadLetter.Fault.NONE, cause=_BRAKED)
            return True
        return False

    def _take_all(self, events: Sequence[_Event]) -> bool:
        """Let the events take effect in the caller's transaction, or return False if one of them must wait."""
        known = [(envelope, message) for _, envelope, message in events if message is not None]
        if len(known) < len(events):
            return False
        keys = [(record.topic, record.key) for record, _, _ in events]
        if letters.is_blocked(consumer=self._name, keys=keys):
            return False
        if not self._brake.braked_types().isdisjoint(envelope.type for envelope, _ in known):
            return False
        event_ids = list(dict.fromkeys(envelope.id for envelope, _ in known))
        taken, at = receipts.receive(consumer=self._name, event_ids=event_ids)
        waiting = set(taken)
        for envelope, message in known:
            if envelope.id in waiting:
                waiting.discard(envelope.id)
                self._handle(envelope, message, at)
        return True

    def _once(self, envelope: Envelope, message: Message, *, again: bool = False) -> None:
        taken, at = receipts.receive(consumer=self._name, event_ids=[envelope.id])
        if taken:
            self._handle(envelope, message, at, again=again)

    def _handle(self, envelope: Envelope, message: Message, at: datetime, *, again: bool = False) -> None:
        with bind_request(request_id=envelope.request_id, traceparent=envelope.traceparent) as request_id:
            received = Received(
                at=at,
                event_id=envelope.id,
                type=envelope.type,
                key=envelope.key,
                sequence=envelope.sequence,
                request_id=request_id,
                again=again,
            )
            try:
                self._handlers[type(message)](message, received=received)
            except DataError as error:  # a value of the message does not fit its column: no later attempt can succeed
                raise BadEvent(cause_of(error)) from error

    def _skip(self, events: Sequence[_Event]) -> None:
        """Count events of unknown types. Without an inbox row, `replay_events` can deliver them after an upgrade."""
        skipped = Counter((record.topic, self._counted_as(envelope.type)) for record, envelope, _ in events)
        count_skipped(consumer=self._name, skipped=skipped)

    def _counted_as(self, event_type: str) -> str:
        """Return the name under which a skipped type is counted, and log it the first time."""
        if event_type in self._logged:
            return event_type
        counted = event_type if len(self._logged) < MOST_SKIPPED_TYPES else _OTHER_TYPES
        if counted not in self._logged:
            self._logged.add(counted)
            log.warning("unknown_event_type_skipped", consumer=self._name, type=counted)
        return counted

    def _wait_for_upgrade(self, record: Record, envelope: Envelope, *, cause: str) -> None:
        letters.keep_waiting(consumer=self._name, record=record, fault=DeadLetter.Fault.RELEASE, cause=cause)
        log.error(
            "alarm:event_needs_newer_release",
            consumer=self._name, event_id=envelope.id, type=envelope.type, cause=cause,
        )  # fmt: skip

    # ------------------------------------------------------------------ letters

    def _take_effect(self, letter: DeadLetter) -> None:
        record = letters.record_of(letter)
        envelope, message = event_of(record)
        if message is None:
            if envelope.required:
                raise NeedsUpgrade(_unknown(envelope))
            self._skip([(record, envelope, message)])
        elif not self._has_no_effect(envelope, message):
            self._once(envelope, message)
        letters.mark_retried(letter)

    def _retry_failed(self, letter: DeadLetter, error: Exception) -> None:
        """Keep the letter after a failed retry, for the next attempt, for staff or for a newer release."""
        status, fault, cause = DeadLetter.Status.DEAD, DeadLetter.Fault.HANDLER, cause_of(error)
        if isinstance(error, BadEvent):
            fault, cause = DeadLetter.Fault.MESSAGE, str(error)
        elif isinstance(error, NeedsUpgrade):
            status, fault, cause = DeadLetter.Status.BRAKED, DeadLetter.Fault.RELEASE, str(error)
        elif letter.status != DeadLetter.Status.RETRYING and letter.attempts + 1 < MAX_ATTEMPTS:
            status = DeadLetter.Status(letter.status)
        with transaction.atomic():
            letters.keep_again(letter, status=status, fault=fault, cause=cause)
            if (status, fault) == (DeadLetter.Status.DEAD, DeadLetter.Fault.HANDLER):
                self._brake.note_failure(letter.event_type, letter.key, cause=cause)
        log.warning("dead_letter_failed_again", consumer=self._name, event_id=letter.event_id, cause=cause)

    def _probe(self, event_type: str) -> None:
        """Try one event of a braked type. If it takes effect, the type is handled again."""
        with transaction.atomic():
            brake = self._brake.lock_for_probe(event_type)
            if brake is None:
                return
            letter = letters.letter_to_probe(consumer=self._name, event_type=event_type, turn=brake.probes)
            if letter is None:
                return
            try:
                with transaction.atomic():
                    self._take_effect(letter)
            except (BadEvent, NeedsUpgrade) as error:
                self._retry_failed(letter, error)  # it says nothing about the type
            except Exception as error:
                if is_unavailable(error):
                    raise
                self._brake.postpone(brake, cause=cause_of(error))
            else:
                self._brake.release(event_type)


def cause_of(error: BaseException) -> str:
    """Return a failure as the cause of a dead letter, without the halves of surrogate pairs that no database stores."""
    return f"{type(error).__name__}: {error}"[:500].encode("utf-8", "backslashreplace").decode()


def _unknown(envelope: Envelope) -> str:
    return f"required, and unknown to this release: {envelope.type}"
