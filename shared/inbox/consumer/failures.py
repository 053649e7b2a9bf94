"""What the failure of a record means, and where a record goes that failed for the last time."""

import structlog
from django.db import InterfaceError, OperationalError

from shared.cloudevents import BadEvent
from shared.inbox.consumer.assignment import Verdict
from shared.inbox.dlq import DeadLetterTopic
from shared.inbox.effects import MAX_ATTEMPTS, Effects, cause_of
from shared.inbox.models import DeadLetter
from shared.kafka.outcomes import is_unavailable
from shared.kafka.records import Record

log = structlog.get_logger(__name__)


def is_database_unavailable(error: BaseException) -> bool:
    """Return whether `error` shows that the consumer's own database is unavailable."""
    return isinstance(error, InterfaceError | OperationalError) and is_unavailable(error)


def verdict_on(error: BaseException, *, attempt: int) -> Verdict | None:
    """Return why the record is a dead letter after this failure of `attempt` (1, 2, …), or None to try again."""
    if isinstance(error, BadEvent):
        return Verdict(fault=DeadLetter.Fault.MESSAGE, cause=str(error), attempts=1)
    if attempt >= MAX_ATTEMPTS:
        return Verdict(fault=DeadLetter.Fault.HANDLER, cause=cause_of(error), attempts=attempt)
    return None


class DeadLetters:
    """Keeps the dead letters of consumer `name`: first in Kafka, then in the database."""

    def __init__(self, *, name: str, effects: Effects) -> None:
        self._name = name
        self._effects = effects
        self._topic = DeadLetterTopic(consumer=name)

    def keep(self, record: Record, verdict: Verdict) -> None:
        """Keep `record` as a dead letter. Raises BrokerUnavailable or a database error if it was not kept."""
        self._topic.publish(record, cause=verdict.cause, attempts=verdict.attempts)
        self._effects.give_up(
            record, fault=DeadLetter.Fault(verdict.fault), cause=verdict.cause, attempts=verdict.attempts
        )
        log.error(
            "event_dead_lettered",
            consumer=self._name,
            event_id=record.attribute("ce_id"),
            type=record.attribute("ce_type"),
            topic=record.topic,
            cause=verdict.cause,
            attempts=verdict.attempts,
        )
