"""Pages per parent: each page is right, and many parents need no more statements than one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from destinations_service.catalogue import selectors
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.ids import uuid7

pytestmark = pytest.mark.django_db

ANY_DATE = {"departs_after": None, "departs_before": None}


def test_children_come_most_populous_first_with_their_total():
    country, other = DestinationFactory(), DestinationFactory()
    for population in (5, 9, 7):
        DestinationFactory(kind="CITY", parent=country, population=population)

    pages = selectors.children_of(parent_ids=[country.id, other.id], kind="", first=2, after="")

    assert [view.population for view in pages[country.id].views] == [9, 7]
    assert (pages[country.id].total, pages[country.id].has_next) == (3, True)
    rest = selectors.children_of(parent_ids=[country.id], kind="CITY", first=2, after=pages[country.id].cursors[-1])
    assert [view.population for view in rest[country.id].views] == [5]
    assert (pages[other.id].views, pages[other.id].total) == ([], 0)


def test_trips_of_a_destination_include_those_below_it():
    country = DestinationFactory()
    city = DestinationFactory(kind="CITY", parent=country)
    sight = DestinationFactory(kind="POINT_OF_INTEREST", parent=city)
    trips = {TripFactory(destination=place).id for place in (country, city, sight)}

    pages = selectors.trips_of(destination_ids=[country.id, city.id], **ANY_DATE, first=10, after="")

    assert {view.id for view in pages[country.id].views} == trips
    assert (len(pages[city.id].views), pages[city.id].total) == (2, 2)


def test_departures_come_soonest_first_and_can_be_limited_to_available_ones():
    trip = TripFactory()
    full, free = DepartureFactory(trip=trip, seats_left=0), DepartureFactory(trip=trip, seats_left=1)
    DepartureFactory(trip=trip, status="CANCELLED")

    everything = selectors.departures_of(trip_ids=[trip.id], **ANY_DATE, only_available=False, first=10, after="")
    available = selectors.departures_of(trip_ids=[trip.id], **ANY_DATE, only_available=True, first=10, after="")

    assert [view.id for view in everything[trip.id].views][:2] == [full.id, free.id]
    assert [view.id for view in available[trip.id].views] == [free.id]


@pytest.mark.parametrize("parents", [1, 12])
def test_the_number_of_statements_does_not_grow_with_the_parents(parents):
    countries = [DestinationFactory() for _ in range(parents)]
    for country in countries:
        for trip in TripFactory.create_batch(2, destination=country):
            DepartureFactory(trip=trip)
    ids = [country.id for country in countries]

    with CaptureQueriesContext(connection) as captured:
        selectors.trips_of(destination_ids=ids, **ANY_DATE, first=5, after="")
        selectors.children_of(parent_ids=ids, kind="", first=5, after="")

    assert len(captured) == 2


def test_an_unknown_parent_has_an_empty_page():
    unknown = uuid7()

    assert selectors.children_of(parent_ids=[unknown], kind="", first=5, after="")[unknown].views == []
