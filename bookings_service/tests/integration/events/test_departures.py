"""The consumer of departures: capacity follows the versions, and a cancelled departure cancels its bookings."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bookings_service.bookings import consumers  # noqa: F401 — registers the handlers
from bookings_service.bookings.contracts import Seats
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.integration.events.support import DEPARTURE
from contracts.travel.events.v1 import destinations_pb2
from shared.cloudevents import Envelope, to_json
from shared.events import event_type
from shared.ids import uuid7
from shared.inbox.consumer import EventConsumer
from shared.inbox.models import DeadLetter
from shared.kafka.handlers import registered
from shared.rpc.mapping import ts
from shared.testing import eventually
from shared.testing.kafka import put_event
from shared.testing.threads import in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]


def departure_event(
    departure_id: UUID, version: int, capacity: int, state: str = "OPEN", kind: str = "Changed", **fields: Any
) -> Envelope:
    """Return the event as destinations_service's relay sends it."""
    starts_at = fields.pop("starts_at", datetime.now(UTC) + timedelta(days=60))
    message = getattr(destinations_pb2, f"Departure{kind}")(
        departure=destinations_pb2.DepartureSnapshot(
            departure_id=str(departure_id), version=version, capacity=capacity, starts_at=ts(starts_at),
            ends_at=ts(starts_at + timedelta(days=5)), state=destinations_pb2.DepartureState.Value(f"DEPARTURE_STATE_{state}"),
            **fields,
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
    with in_thread(EventConsumer(name="bookings", handlers=registered, stop=stop).run, stop=stop.set) as errors:
        yield
    assert errors == []


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


def test_moving_a_departure_moves_its_bookings(consumer: None, buyer: Buyer, destinations: Destinations) -> None:
    """The event has dates and reason. A late event of an earlier version changes nothing."""
    from bookings_service.bookings import clock

    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)
    starts_at = booking.starts_at + timedelta(days=3)

    put_event(DEPARTURE, departure_event(departure, 3, 5, starts_at=starts_at, change_reason="Road works"))
    put_event(DEPARTURE, departure_event(departure, 2, 5, starts_at=booking.starts_at, change_reason="Ice"))
    put_event(DEPARTURE, departure_event(departure, 4, 6, starts_at=starts_at, change_reason="Road works"))
    eventually(lambda: SeatInventory.objects.get(departure_id=departure).version == 4, 20.0)
    clock.run_jobs(clock.DATABASE_LOOP)

    after = Booking.objects.get(id=booking.id)
    assert (after.starts_at, after.ends_at) == (starts_at, starts_at + timedelta(days=5))
    assert (after.previous_starts_at, after.change_reason) == (booking.starts_at, "Road works")
    assert after.sequence == booking.sequence + 1
    assert DeadLetter.objects.count() == 0
