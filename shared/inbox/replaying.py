"""Replay events from Kafka: let those take effect that have no inbox row, or some of them again.

Safe while the consumer runs: each event has a transaction of its own, under the lock of its key, with its inbox row. A
record that the consumer has not taken yet is left to it, so that the order of a key stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from django.db import transaction

from shared.cloudevents import BadEvent
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox import letters
from shared.inbox.effects import Effects
from shared.inbox.models import BrakedType, InboxMessage
from shared.inbox.skipping import count_replayed
from shared.kafka.clients import group_consumer
from shared.kafka.handlers import Handlers, topics_of
from shared.kafka.records import Record, event_of
from shared.kafka.unreadable import Unreadable, is_unreadable

_ANSWER_SECONDS: Final = 10.0


class Verdict(StrEnum):
    """What a replay does with a record."""

    NEW = "would take effect"
    AGAIN = "would take effect AGAIN"
    DONE = "took effect before"
    BLOCKED = "its key has open dead letters, or its type is braked"
    LEFT = "left to the consumer, which has not taken it yet"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of an event that this service handles, and whether the consumer has taken it already."""

    record: Record
    event_id: str
    type: str
    handler: str
    taken: bool


def candidates(*, consumer: str, handlers: Handlers, since: datetime, until: datetime) -> Iterator[Candidate]:
    """Yield the handled events that were written in `since` ≤ time < `until`, in the order of each key.

    Records that are no events are left out. Raises KafkaException.
    """
    client = group_consumer(consumer, **{"client.id": f"{consumer}.replay", "enable.partition.eof": False})
    with closing(client):
        ranges = _ranges(client, [topic_name(topic) for topic in topics_of(handlers)], since, until)
        for partition, end, taken in ranges:
            client.assign([partition])
            for record in _records(client, end):
                try:
                    envelope, message = event_of(record)
                except BadEvent:
                    continue
                if handler := handlers.get(type(message)) if message is not None else None:
                    yield Candidate(record, envelope.id, envelope.type, handler.__name__, record.offset < taken)


def verdict(candidate: Candidate, *, consumer: str, again: str | None) -> Verdict:
    """Return what a replay does with the event now. `again` names the handler whose events are applied again."""
    record = candidate.record
    if not candidate.taken:
        return Verdict.LEFT
    if letters.is_blocked(consumer=consumer, keys=[(record.topic, record.key)]):
        return Verdict.BLOCKED
    if BrakedType.objects.filter(consumer=consumer, event_type=candidate.type).exists():
        return Verdict.BLOCKED
    if not InboxMessage.objects.filter(consumer=consumer, event_id=candidate.event_id).exists():
        return Verdict.NEW
    return Verdict.AGAIN if candidate.handler == again else Verdict.DONE


@transaction.atomic
def apply(candidate: Candidate, *, consumer: str, effects: Effects, again: str | None) -> Verdict:
    """Let the event take effect if it may. Return what was done. Raises what its handler raises."""
    record = candidate.record
    letters.lock_key(consumer=consumer, topic=record.topic, key=record.key)
    decided = verdict(candidate, consumer=consumer, again=again)
    if decided is Verdict.AGAIN:
        effects.apply(_another(record), again=True)
    if decided is Verdict.NEW:
        effects.apply(record)
        count_replayed(consumer=consumer, topic=record.topic, event_type=candidate.type)
    return decided


def _another(record: Record) -> Record:
    """Return the record with an event id of its own, because handlers refuse to tell a person of an event twice."""
    headers = [(name, value) for name, value in record.headers if name != "ce_id"]
    return replace(record, headers=[*headers, ("ce_id", str(uuid7()).encode())])


def _ranges(
    client: Consumer, topics: Sequence[str], since: datetime, until: datetime
) -> list[tuple[TopicPartition, int, int]]:
    """Return each partition at its first offset to read, the end of the range, and the end of what is taken."""
    known = client.list_topics(timeout=_ANSWER_SECONDS).topics
    places = [(name, number) for name in topics if name in known for number in known[name].partitions]
    taken = client.committed([TopicPartition(*place) for place in places], timeout=_ANSWER_SECONDS)
    first, last = (_at(client, places, moment) for moment in (since, until))
    return [
        (TopicPartition(place.topic, place.partition, begin), end, max(place.offset, 0))
        for place, begin, end in zip(taken, first, last, strict=True)
        if begin < end
    ]


def _at(client: Consumer, places: Sequence[tuple[str, int]], moment: datetime) -> list[int]:
    """Return the first offset at or after `moment` of each partition, or its end."""
    asked = [TopicPartition(*place, int(moment.timestamp() * 1000)) for place in places]
    found = client.offsets_for_times(asked, timeout=_ANSWER_SECONDS)
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
    return [
        place.offset if place.offset >= 0 else client.get_watermark_offsets(place, _ANSWER_SECONDS)[1]
        for place in found
    ]


def _records(client: Consumer, end: int) -> Iterator[Record]:
    """Yield the records of the assigned partition before offset `end`. Raises KafkaException after silence."""
    unreadable = Unreadable()
    while True:
        message = client.poll(_ANSWER_SECONDS)
        if message is None:
            raise KafkaException("the broker does not answer")
        if (error := message.error()) is None:
            record = Record.of(message)
        elif not is_unreadable(error):
            raise KafkaException(error)
        elif unreadable.give_up(client, message):
            record = Record.without_content(message, defect=error.str())
        else:
            continue
        if record.offset < end:
            yield record
        if record.offset + 1 >= end:
            return
