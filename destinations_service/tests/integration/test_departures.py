"""Changing departures: each change is a version, told once; fewer seats are asked for first."""

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


def told(departure):
    return [(event.type.split(".")[-2], event.sequence) for event in OutboxEvent.objects.filter(key=str(departure.id))]


def test_a_change_is_the_next_version_and_is_told(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=12))
    services.change_departure(departure_id=departure.id, change=DepartureChange(adult_price=Decimal("120.00")))

    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (12, 3)
    assert told(departure) == [("changed", 2), ("changed", 3)]
    assert bookings.asked == []


def test_the_same_again_is_no_change(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=10))

    departure.refresh_from_db()
    assert departure.version == 1
    assert told(departure) == []


def test_fewer_seats_are_asked_of_bookings_before_they_are_committed(bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=4))

    assert bookings.asked == [(4, 2)]
    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (4, 2)


def test_fewer_seats_than_are_taken_are_refused_with_both_numbers(bookings: Bookings):
    bookings.taken = 6
    departure = DepartureFactory(capacity=10)

    with pytest.raises(CapacityBelowSold) as refused:
        services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=5))

    assert refused.value.params == {"held": 1, "sold": 5}
    departure.refresh_from_db()
    assert (departure.capacity, departure.version, told(departure)) == (10, 1, [])


def test_without_bookings_no_seat_is_taken_away(bookings: Bookings):
    bookings.away = True
    departure = DepartureFactory(capacity=10)

    with pytest.raises(Unavailable):
        services.change_departure(departure_id=departure.id, change=DepartureChange(capacity=5))

    assert Departure.objects.get(id=departure.id).capacity == 10


def test_a_cancelled_departure_stays_cancelled(bookings: Bookings):
    departure = DepartureFactory()

    services.change_departure(departure_id=departure.id, change=DepartureChange(status="CANCELLED"))

    assert told(departure) == [("cancelled", 2)]
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
def test_what_cannot_be_is_refused_and_told_to_nobody(bookings: Bookings, change, field):
    departure = DepartureFactory()

    with pytest.raises(Invalid) as refused:
        services.change_departure(departure_id=departure.id, change=change)

    assert refused.value.field == field
    assert told(departure) == []


def test_an_unknown_departure_is_not_found(bookings: Bookings):
    with pytest.raises(NotFound):
        services.change_departure(departure_id=uuid7(), change=DepartureChange(capacity=3))
