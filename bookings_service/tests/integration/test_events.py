"""Events over a real broker: the relay of the outbox, and the consumer of departures.

Most of these tests are of shared/outbox and shared/inbox. They are here because they need a database and a service.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections, transaction

from bookings_service.bookings import consumers  # noqa: F401 — registers the handlers
from bookings_service.bookings.contracts import Seats
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from contracts.travel.events.v1 import bookings_pb2, destinations_pb2
from shared.cloudevents import Envelope, to_json
from shared.db import own_database
from shared.events import event_type
from shared.ids import uuid7
from shared.inbox.consumer import EventConsumer
from shared.inbox.models import DeadLetter
from shared.kafka.handlers import registered
from shared.outbox import NotInTransaction, publish, publish_many
from shared.outbox.models import OutboxEvent
from shared.outbox.relay import DeliveryFailed, Relay, deliver, undelivered
from shared.rpc.mapping import ts
from shared.testing import eventually
from shared.testing.kafka import events_of, put_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]

BOOKING, INVENTORY, DEPARTURE = "travel.bookings.booking", "travel.bookings.inventory", "travel.destinations.departure"


@contextmanager
def running(work: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """Run `work` in a thread until the end of the block."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(40)
        assert not thread.is_alive()


@contextmanager
def relaying() -> Iterator[Relay]:
    """Run the service's relay."""
    relay = Relay(database=own_database(), name="bookings.relay")
    with running(relay.run, relay.stop):
        yield relay


def changed(departure_id: UUID, sequence: int) -> bookings_pb2.InventoryChanged:
    return bookings_pb2.InventoryChanged(departure_id=str(departure_id), sequence=sequence)


def write(key: UUID, *sequences: int) -> None:
    """Write events in a transaction."""
    with transaction.atomic():
        publish_many(((changed(key, sequence), key, sequence) for sequence in sequences), occurred_at=datetime.now(UTC))


def delivered() -> bool:
    return not OutboxEvent.objects.filter(delivered_at__isnull=True).exists()


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


def test_the_relay_is_woken_by_the_commit() -> None:
    key = uuid7()
    with relaying():
        warm = uuid7()
        write(warm, 1)
        events_of(INVENTORY, str(warm), count=1)
        notices = psycopg.connect(own_database(), autocommit=True)
        notices.execute("LISTEN outbox")
        write(key, 1, 2, 3)
        assert len(list(notices.notifies(timeout=2.0, stop_after=1))) == 1
        assert list(notices.notifies(timeout=0.3, stop_after=1)) == []  # one wake-up for three events
        notices.close()
        assert [event.sequence for event in events_of(INVENTORY, str(key), count=3)] == [1, 2, 3]
        eventually(delivered)


def test_the_sweep_sends_events_without_a_notification() -> None:
    """The row is written without the model's signal; the relay's sweep finds it."""
    key = uuid7()
    with relaying():
        message = changed(key, 1)
        OutboxEvent.objects.create(
            type=event_type(message).type, topic=event_type(message).topic, key=str(key), sequence=1, value=to_json(message),
            occurred_at=datetime.now(UTC),
        )  # fmt: skip
        assert events_of(INVENTORY, str(key), count=1)[0].sequence == 1
        eventually(delivered)


def test_an_event_that_commits_late_is_sent() -> None:
    """A lower id commits after a higher id was sent.

    Seen failing if the relay selects `id > last sent id` in `undelivered`.
    """
    early, late = uuid7(), uuid7()
    with relaying(), psycopg.connect(own_database()) as slow:
        slow.execute(
            "INSERT INTO outbox_outboxevent (event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at)"
            " VALUES (%s, 'travel.bookings.inventory.changed.v1', 'travel.bookings.inventory', %s, 1, '{}', '', '', now())",
            [uuid7(), str(early)],
        )
        write(late, 1)
        events_of(INVENTORY, str(late), count=1)
        slow.commit()
        assert events_of(INVENTORY, str(early), count=1)[0].sequence == 1


def test_one_relay_is_active_and_another_takes_over() -> None:
    key = uuid7()
    with relaying():
        with relaying() as first:
            write(key, 1)
            eventually(delivered)
            first.stop()
        write(key, 2)
        eventually(delivered)

    sequences = [event.sequence for event in events_of(INVENTORY, str(key), count=2)]
    assert sequences == [1, 2]


class _Failing:
    """A producer whose broker refuses the second message of a batch."""

    def __init__(self) -> None:
        self.reports: list[Any] = []
        self.purged = False

    def produce(self, *_: Any, on_delivery: Any, **__: Any) -> None:
        self.reports.append(on_delivery)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        for number, report in enumerate(self.reports):
            report("refused" if number == 1 else None, None)
        return 0

    def purge(self) -> None:
        self.purged = True


def test_only_acknowledged_events_are_marked_as_delivered() -> None:
    write(uuid7(), 1, 2, 3)
    with psycopg.connect(own_database(), autocommit=True) as database:
        rows, sender = undelivered(database, source="bookings"), _Failing()
        with pytest.raises(DeliveryFailed):
            deliver(database, sender, rows)
        remaining = [row.envelope.sequence for row in undelivered(database, source="bookings")]

    assert 2 in remaining
    assert sender.purged


def test_a_killed_relay_sends_again_and_loses_nothing() -> None:
    """The relay dies after it has sent the events and before it marks them as delivered.

    Each event arrives at least once. After the duplicates are removed, the events are in order.
    """
    key = uuid7()
    write(key, 1, 2)
    with relaying():
        events_of(INVENTORY, str(key), count=2)
        eventually(delivered)
    OutboxEvent.objects.update(delivered_at=None)
    write(key, 3)

    with relaying():
        eventually(delivered)

    assert [event.sequence for event in events_of(INVENTORY, str(key), count=5)] == [1, 2, 1, 2, 3]


def test_no_transaction_is_open_while_the_relay_waits_for_the_broker() -> None:
    with relaying():
        write(uuid7(), 1)
        eventually(delivered)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'travel-%-relay'"
            )
            states = {row[0] for row in cursor.fetchall()}

    assert states == {"idle"}


# ---------------------------------------------------------------------------- departures
def departure_event(
    departure_id: UUID, version: int, capacity: int, state: str = "OPEN", kind: str = "Changed"
) -> Envelope:
    """Return the event as destinations_service's relay sends it."""
    starts_at = datetime.now(UTC) + timedelta(days=60)
    message = getattr(destinations_pb2, f"Departure{kind}")(
        departure=destinations_pb2.DepartureSnapshot(
            departure_id=str(departure_id), version=version, capacity=capacity, starts_at=ts(starts_at),
            state=destinations_pb2.DepartureState.Value(f"DEPARTURE_STATE_{state}"),
        )
    )  # fmt: skip
    return Envelope(
        id=str(uuid7()), type=event_type(message).type, source="destinations", key=str(departure_id), sequence=version,
        occurred_at=datetime.now(UTC) + timedelta(days=365), value=to_json(message).encode(),
    )  # fmt: skip


@pytest.fixture
def consumer() -> Iterator[None]:
    """Run the service's consumer."""
    stop = threading.Event()
    with running(EventConsumer(name="bookings", handlers=registered, stop=stop).run, stop.set):
        yield


def test_departures_are_followed_in_the_order_of_their_versions(consumer: None, seats: Callable[[UUID], Seats]) -> None:
    departure, mark = uuid7(), uuid7()
    third = departure_event(departure, 3, 30)
    for envelope in (
        third,
        departure_event(departure, 2, 20),
        third,
        third,
        departure_event(mark, 1, 1, kind="Scheduled"),
    ):
        put_event(DEPARTURE, envelope)
    put_event(DEPARTURE, departure_event(departure, 4, 31))

    eventually(lambda: SeatInventory.objects.filter(departure_id=departure, version=4).exists(), 20.0)

    assert seats(departure) == Seats(capacity=31, held=0, sold=0)
    assert DeadLetter.objects.count() == 0


def test_cancelling_a_departure_cancels_its_bookings(
    consumer: None, buyer: Buyer, destinations: Destinations, seats: Callable[[UUID], Seats]
) -> None:
    from bookings_service.bookings import clock

    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)

    put_event(DEPARTURE, departure_event(departure, 2, 5, "CANCELLED", "Cancelled"))
    eventually(lambda: SeatInventory.objects.get(departure_id=departure).cancelled, 20.0)
    clock.run_jobs(clock.DATABASE_LOOP)

    after = Booking.objects.get(id=booking.id)
    assert (after.status, after.reason) == ("CANCELLED", "DEPARTURE_CANCELLED")
    assert seats(departure).held == 0
