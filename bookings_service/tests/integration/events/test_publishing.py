"""Publishing: an event is sent if and only if its transaction commits."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.integration.events.support import BOOKING, INVENTORY, changed, relaying, write
from contracts.travel.events.v1 import bookings_pb2
from shared.cloudevents import MAX_VALUE_BYTES, to_json
from shared.ids import uuid7
from shared.outbox import NotInTransaction, PayloadTooLarge, publish, publish_many
from shared.outbox.models import OutboxEvent
from shared.testing.kafka import events_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]


def test_an_event_outside_a_transaction_is_an_error() -> None:
    with pytest.raises(NotInTransaction):
        publish(changed(uuid7(), 1), aggregate_id=uuid7(), sequence=1, occurred_at=datetime.now(UTC))


def test_events_of_a_booking_arrive_in_order(buyer: Buyer, destinations: Destinations, sandbox: str) -> None:
    """Seen failing (nothing arrives) without the outbox write in create_booking."""
    with relaying():
        booking = buyer.book(destinations.publish())
        buyer.pay(booking)
        events = events_of(BOOKING, str(booking.id), count=3)

    assert [(event.sequence, event.type) for event in events] == [
        (1, "travel.bookings.booking.created.v1"),
        (2, "travel.bookings.payment.succeeded.v1"),
        (3, "travel.bookings.booking.confirmed.v1"),
    ]
    assert {event.source for event in events} == {"bookings"}
    assert events[2].message().booking.paid.minor_units == booking.total.minor


def test_an_event_that_was_rolled_back_is_never_sent() -> None:
    key, after = uuid7(), uuid7()
    with transaction.atomic():
        publish(changed(key, 1), aggregate_id=key, sequence=1, occurred_at=datetime.now(UTC))
        transaction.set_rollback(True)
    write(after, 1)

    with relaying():
        events_of(INVENTORY, str(after), count=1)

    with pytest.raises(AssertionError):
        events_of(INVENTORY, str(key), count=1, timeout=1.0)


def test_an_event_that_is_too_large_rolls_its_change_back() -> None:
    """Seen failing (the row was written, and no broker would take it) without the check in `publish_many`."""
    small, large = uuid7(), uuid7()
    empty = len(to_json(bookings_pb2.InventoryChanged(departure_id="x")).encode()) - 1
    longest = bookings_pb2.InventoryChanged(departure_id="x" * (MAX_VALUE_BYTES - empty))
    too_long = bookings_pb2.InventoryChanged(departure_id="x" * (MAX_VALUE_BYTES - empty + 1))

    with transaction.atomic():
        publish(longest, aggregate_id=small, sequence=1, occurred_at=datetime.now(UTC))
    with pytest.raises(PayloadTooLarge) as refused, transaction.atomic():
        publish_many([(changed(large, 1), large, 1), (too_long, large, 2)], occurred_at=datetime.now(UTC))

    assert str(refused.value) == (
        "travel.bookings.inventory.changed.v1 has 900,001 bytes of JSON. An event may have at most 900,000."
    )
    assert [row.key for row in OutboxEvent.objects.all()] == [str(small)]
