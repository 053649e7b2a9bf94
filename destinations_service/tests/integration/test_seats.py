"""The copy of the seats left follows bookings_service in its order, whatever the order of arrival."""

import pytest

from destinations_service.catalogue import services
from destinations_service.catalogue.models import Departure, Destination, Trip
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.ids import uuid7

pytestmark = pytest.mark.django_db


def test_news_older_than_what_is_known_changes_nothing():
    """Seen failing without the comparison of sequences in note_seats."""
    departure = DepartureFactory(capacity=10)

    assert services.note_seats(departure_id=departure.id, seats_left=4, seats_taken=6, sequence=3)
    assert not services.note_seats(departure_id=departure.id, seats_left=9, seats_taken=1, sequence=2)
    assert not services.note_seats(departure_id=departure.id, seats_left=4, seats_taken=6, sequence=3)

    row = Departure.objects.get(id=departure.id)
    assert (row.seats_left, row.seats_sequence) == (4, 3)


def test_popularity_counts_the_seats_taken_here_and_above():
    country = DestinationFactory()
    city = DestinationFactory(kind="CITY", parent=country)
    departure = DepartureFactory(trip=TripFactory(destination=city))

    services.note_seats(departure_id=departure.id, seats_left=4, seats_taken=6, sequence=1)
    services.note_seats(departure_id=departure.id, seats_left=5, seats_taken=5, sequence=2)

    assert Trip.objects.get(id=departure.trip_id).popularity == 5
    assert set(Destination.objects.values_list("popularity", flat=True)) == {5}


def test_a_departure_nobody_knows_is_passed_over():
    assert not services.note_seats(departure_id=uuid7(), seats_left=1, seats_taken=1, sequence=1)
