"""Writes events as rows of the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from google.protobuf.message import Message

from shared.cloudevents import to_json
from shared.events import event_type
from shared.outbox.signals import announce
from shared.telemetry import current_request_id, current_traceparent


class NotInTransaction(RuntimeError):
    """An event was published outside a transaction, so it could be sent without its change. This is a bug."""


def publish(message: Message, *, aggregate_id: UUID, sequence: int, occurred_at: datetime) -> None:
    """Send `message` to Kafka if and only if the current transaction commits.

    Call it under the lock of the aggregate, so that events of one aggregate are written in their order. Raises
    NotInTransaction.
    """
    publish_many([(message, aggregate_id, sequence)], occurred_at=occurred_at)


def publish_many(events: Iterable[tuple[Message, UUID, int]], *, occurred_at: datetime) -> None:
    """Publish (message, aggregate id, sequence) triples in their order, in few statements. Raises NotInTransaction."""
    # Not at import: the package imports this module before the app registry is ready.
    from shared.outbox.models import OutboxEvent

    if not connection.in_atomic_block:
        raise NotInTransaction
    rows = [
        OutboxEvent(
            type=event_type(message).type,
            topic=event_type(message).topic,
            key=str(aggregate_id),
            sequence=sequence,
            value=to_json(message),
            traceparent=current_traceparent(),
            request_id=current_request_id(),
            occurred_at=occurred_at,
        )
        for message, aggregate_id, sequence in events
    ]
    OutboxEvent.objects.bulk_create(rows, batch_size=1_000)
    announce()
