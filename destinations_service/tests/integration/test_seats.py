"""The copy of the free seats follows the sequence of bookings_service, in whatever order its events arrive."""

import pytest

from destinations_service.catalogue import services
from destinations_service.catalogue.models import Departure, Destination, Trip
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.ids import uuid7

pytestmark = pytest.mark.django_db


def test_an_older_or_repeated_event_changes_nothing():
    """Seen failing without the comparison of sequences in copy_seats."""
    departure = DepartureFactory(capacity=10)

    assert services.copy_seats(departure_id=departure.id, free_seats=4, seats_taken=6, sequence=3)
    assert not services.copy_seats(departure_id=departure.id, free_seats=9, seats_taken=1, sequence=2)
    assert not services.copy_seats(departure_id=departure.id, free_seats=4, seats_taken=6, sequence=3)

    row = Departure.objects.get(id=departure.id)
    assert (row.seats_left, row.seats_sequence) == (4, 3)


def test_popularity_counts_the_seats_taken_here_and_above():
    country = DestinationFactory()
    city = DestinationFactory(kind="CITY", parent=country)
    departure = DepartureFactory(trip=TripFactory(destination=city))

    services.copy_seats(departure_id=departure.id, free_seats=4, seats_taken=6, sequence=1)
    services.copy_seats(departure_id=departure.id, free_seats=5, seats_taken=5, sequence=2)

    assert Trip.objects.get(id=departure.trip_id).popularity == 5
    assert set(Destination.objects.values_list("popularity", flat=True)) == {5}


def test_seats_of_an_unknown_departure_are_ignored():
    assert not services.copy_seats(departure_id=uuid7(), free_seats=1, seats_taken=1, sequence=1)
