"""Changes of departures: each change is a version and is published once; bookings agrees to a lower capacity first."""

from decimal import Decimal

import pytest

from destinations_service.catalogue import services
from destinations_service.catalogue.contracts import DepartureChange
from destinations_service.catalogue.domain import CapacityBelowSold, DepartureFinal
from destinations_service.catalogue.models import Departure
from destinations_service.tests.conftest import Bookings
from destinations_service.tests.factories import DepartureFactory
from shared.errors import Invalid, NotFound, Unavailable
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db


def published(departure):
    return [(event.type.split(".")[-2], event.sequence) for event in OutboxEvent.objects.filter(key=str(departure.id))]


def test_a_change_is_the_next_version_and_is_published(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=12))
    services.change_departure(departure_id=departure.id, change=DepartureChange(adult_price=Decimal("120.00")))

    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (12, 3)
    assert published(departure) == [("changed", 2), ("changed", 3)]
    assert bookings.requests == []


def test_a_change_to_the_same_values_publishes_nothing(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=10))

    departure.refresh_from_db()
    assert departure.version == 1
    assert published(departure) == []


def test_bookings_agrees_to_a_lower_capacity_before_it_is_committed(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=4))

    assert bookings.requests == [(4, 2)]
    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (4, 2)


def test_a_capacity_below_the_seats_taken_is_refused_with_both_numbers(bookings: Bookings):
    bookings.seats_taken = 6
    departure = DepartureFactory(capacity=10)

    with pytest.raises(CapacityBelowSold) as refusal:
        services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=5))

    assert refusal.value.params == {"held": 1, "sold": 5}
    departure.refresh_from_db()
    assert (departure.capacity, departure.version, published(departure)) == (10, 1, [])


def test_the_capacity_stays_if_bookings_is_unavailable(bookings: Bookings):
    bookings.unavailable = True
    departure = DepartureFactory(capacity=10)

    with pytest.raises(Unavailable):
        services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=5))

    assert Departure.objects.get(id=departure.id).capacity == 10


def test_a_cancelled_departure_stays_cancelled(bookings: Bookings):
    departure = DepartureFactory()

    services.change_departure(departure_id=departure.id, change=DepartureChange(status="CANCELLED"))

    assert published(departure) == [("cancelled", 2)]
    with pytest.raises(DepartureFinal):
        services.change_departure(departure_id=departure.id, change=DepartureChange(status="OPEN"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (DepartureChange(adult_price=Decimal(0)), "adultPrice"),
        (DepartureChange(child_price=Decimal(-1)), "childPrice"),
        (DepartureChange(capacity=10_001), "capacity"),
        (DepartureChange(status="DEPARTED"), "status"),
    ],
)
def test_an_impossible_change_is_refused_and_not_published(bookings: Bookings, change, field):
    departure = DepartureFactory()

    with pytest.raises(Invalid) as refusal:
        services.change_departure(departure_id=departure.id, change=change)

    assert refusal.value.field == field
    assert published(departure) == []


def test_an_unknown_departure_is_not_found(bookings: Bookings):
    with pytest.raises(NotFound):
        services.change_departure(departure_id=uuid7(), change=DepartureChange(capacity=3))
