"""What the tests of events share: a running relay, and events to send."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from contracts.travel.events.v1 import bookings_pb2
from shared.db import own_database
from shared.outbox import publish_many
from shared.outbox.models import OutboxEvent
from shared.outbox.relay import Relay
from shared.testing.threads import in_thread

BOOKING, INVENTORY, DEPARTURE = "travel.bookings.booking", "travel.bookings.inventory", "travel.destinations.departure"


@contextmanager
def relaying() -> Iterator[Relay]:
    """Run the service's relay."""
    relay = Relay(database=own_database(), name="bookings.relay")
    with in_thread(relay.run, stop=relay.stop) as ended:
        yield relay
    assert ended == []


def changed(departure_id: UUID, sequence: int) -> bookings_pb2.InventoryChanged:
    return bookings_pb2.InventoryChanged(departure_id=str(departure_id), sequence=sequence)


def write(key: UUID, *sequences: int) -> None:
    """Write events in a transaction."""
    with transaction.atomic():
        publish_many(((changed(key, sequence), key, sequence) for sequence in sequences), occurred_at=datetime.now(UTC))


def delivered() -> bool:
    return not OutboxEvent.objects.filter(delivered_at__isnull=True).exists()
