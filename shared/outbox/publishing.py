"""Writes events as rows of the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from google.protobuf.message import Message

from shared.cloudevents import MAX_VALUE_BYTES, to_json
from shared.events import event_type
from shared.ids import UUID7_SQL
from shared.outbox.signals import announce
from shared.statement import Insert
from shared.telemetry import current_request_id, current_traceparent

if TYPE_CHECKING:  # the package imports this module before the app registry is ready
    from shared.outbox.models import OutboxEvent


class NotInTransaction(RuntimeError):
    """An event was published outside a transaction, so it could be sent without its change. This is a bug."""


class PayloadTooLarge(RuntimeError):
    """An event is larger than an event may be. The change that publishes it must not commit. This is a bug."""

    def __init__(self, *, type_: str, size: int) -> None:
        super().__init__(f"{type_} has {size:,} bytes of JSON. An event may have at most {MAX_VALUE_BYTES:,}.")
        self.type, self.size, self.limit = type_, size, MAX_VALUE_BYTES


def publish(message: Message, *, aggregate_id: UUID, sequence: int, occurred_at: datetime) -> None:
    """Send `message` to Kafka if and only if the current transaction commits.

    Call it under the lock of the aggregate, so that events of one aggregate are written in their order. Raises
    NotInTransaction, and PayloadTooLarge.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction
    _insert().send(_row(message, aggregate_id, sequence, occurred_at))
    announce()


def publish_many(events: Iterable[tuple[Message, UUID, int]], *, occurred_at: datetime) -> None:
    """Publish (message, aggregate id, sequence) triples in their order, in few statements.

    If one is too large, none is written. Raises NotInTransaction, and PayloadTooLarge.
    """
    from shared.outbox.models import OutboxEvent

    if not connection.in_atomic_block:
        raise NotInTransaction
    rows = [_row(message, aggregate_id, sequence, occurred_at) for message, aggregate_id, sequence in events]
    OutboxEvent.objects.bulk_create(rows, batch_size=1_000)
    announce()


def publish_selected(message: type[Message], select: str, **parameters: Any) -> int:
    """Publish an event for each row of the query `select`: key, sequence, and the message as JSON. Return how many.

    For merges of many rows, which hold their locks. The JSON must be what to_json makes of the message, and small. The
    query's order is the order of sending. Raises NotInTransaction.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction
    kind = event_type(message())
    values: dict[str, Any] = {
        "type_": kind.type, "topic_": kind.topic,
        "traceparent_": current_traceparent(), "request_": current_request_id(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_SELECTED.format(select=select), {**parameters, **values})
        count: int = cursor.rowcount
    announce()
    return count


# The event's id is a UUIDv7 like that of every other event.
_INSERT_SELECTED: Final = f"""
INSERT INTO outbox_outboxevent (
    event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at, cause)
SELECT {UUID7_SQL}, %(type_)s, %(topic_)s, event.key, event.sequence, event.value, %(traceparent_)s, %(request_)s,
       clock_timestamp(), ''
FROM ({{select}}) AS event (key, sequence, value)
"""  # noqa: S608 - names of columns


@cache
def _insert() -> "Insert[OutboxEvent]":
    from shared.outbox.models import OutboxEvent

    return Insert(OutboxEvent)


def _row(message: Message, aggregate_id: UUID, sequence: int, occurred_at: datetime) -> "OutboxEvent":
    from shared.outbox.models import OutboxEvent

    return OutboxEvent(
        type=event_type(message).type,
        topic=event_type(message).topic,
        key=str(aggregate_id),
        sequence=sequence,
        value=_value(message),
        traceparent=current_traceparent(),
        request_id=current_request_id(),
        occurred_at=occurred_at,
    )


def _value(message: Message) -> str:
    value = to_json(message)
    if (size := len(value.encode())) > MAX_VALUE_BYTES:
        raise PayloadTooLarge(type_=event_type(message).type, size=size)
    return value
