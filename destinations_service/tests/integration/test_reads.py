"""Reads of the catalogue: how many statements they need, and what they show if a text or a row is missing."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import DestinationQuery, TripQuery
from destinations_service.catalogue.domain import Near
from destinations_service.catalogue.models import CancellationRule, DestinationTranslation, TripTranslation
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.ids import uuid7
from shared.text import Text

pytestmark = pytest.mark.django_db


@pytest.fixture
def departures():
    return [DepartureFactory(), DepartureFactory()]


READS = {
    "destinations": lambda places, trips, departures: selectors.destinations_by_key(ids=places, slugs=["place-1"]),
    "photos": lambda places, trips, departures: selectors.photos(destination_ids=places),
    "prices": lambda places, trips, departures: selectors.average_prices(destination_ids=places),
    "rates": lambda places, trips, departures: selectors.exchange_rates(),
    "trips": lambda places, trips, departures: selectors.trips_by_key(ids=trips, slugs=["trip-1"]),
    "departures": lambda places, trips, departures: selectors.departures_by_id(ids=departures),
    "a departure to quote": lambda places, trips, departures: selectors.departure_for_quote(departure_id=departures[0]),
    "children": lambda places, trips, departures: selectors.children_of(
        parent_ids=places, kind="CITY", first=5, after=""
    ),
    "trips of places": lambda places, trips, departures: selectors.trips_of(
        destination_ids=places, departs_after=date(2026, 1, 1), departs_before=None, first=5, after=""
    ),
    "departures of trips": lambda places, trips, departures: selectors.departures_of(
        trip_ids=trips, departs_after=None, departs_before=None, only_available=True, first=5, after=""
    ),
    "search for places": lambda places, trips, departures: selectors.search_destinations(
        query=DestinationQuery(search="one", kind="COUNTRY", near=Near(0, 0, 20_000), language="FR"),
        first=5,
        after="",
    ),
    "search for trips": lambda places, trips, departures: selectors.search_trips(
        query=TripQuery(destination_id=places[0], seats=1, order="PRICE"), first=5, after=""
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_is_one_statement(departures, read):
    """Seen failing (2 to 5 statements) with prefetched texts, and with a count of its own."""
    trips = [departure.trip for departure in departures]
    ids = [trip.destination_id for trip in trips], [trip.id for trip in trips], [row.id for row in departures]

    with CaptureQueriesContext(connection) as queries:
        read(*ids)

    assert len(queries) == 1


def test_a_text_that_a_language_lacks_is_shown_in_the_other():
    place = DestinationFactory(names=("Nice", "Nice"))
    english = DestinationTranslation.objects.filter(destination=place, language="EN")
    english.update(summary="By the sea", description="")
    DestinationTranslation.objects.filter(destination=place, language="FR").update(description="Au bord")

    view = selectors.destinations_by_key(ids=[place.id])[0]
    english.delete()
    french_only = selectors.destinations_by_key(ids=[place.id])[0]

    assert (view.summary, view.description) == (Text("By the sea", "By the sea"), Text("Au bord", "Au bord"))
    assert (french_only.name, french_only.summary) == (Text("Nice", "Nice"), Text("", ""))


def test_a_place_or_trip_without_texts_is_shown_by_its_slug():
    trip = TripFactory()
    DestinationTranslation.objects.all().delete()
    TripTranslation.objects.all().delete()
    CancellationRule.objects.all().delete()

    place, bare = selectors.destinations_by_key(ids=[trip.destination_id])[0], selectors.trips_by_key(ids=[trip.id])[0]

    assert (place.name, place.summary) == (Text(place.slug, place.slug), Text("", ""))
    assert (bare.title, bare.description, bare.policy) == (Text(trip.slug, trip.slug), Text("", ""), ())


def test_rows_come_in_the_order_of_their_keys_and_unknown_keys_are_left_out():
    first, second = DestinationFactory(), DestinationFactory()

    found = selectors.destinations_by_key(ids=[second.id, uuid7(), second.id], slugs=[first.slug, "unknown"])

    assert [view.id for view in found] == [second.id, second.id, first.id]


@pytest.mark.parametrize("order", ["", "RELEVANCE", "NAME", "POPULARITY"])
def test_a_search_of_spaces_finds_nothing(order):
    """Seen failing (FieldError: the order by relevance had no column) while only the filter knew of this case."""
    DestinationFactory()

    listed = selectors.search_destinations(query=DestinationQuery(search="   ", order=order), first=5, after="")

    assert (listed.views, listed.total, listed.has_next) == ([], 0, False)


def test_a_page_behind_the_last_row_is_empty_and_still_has_the_total():
    """Seen failing (a total of 0) with the count taken from the rows of the page."""
    country = DestinationFactory()
    city = DestinationFactory(kind="CITY", parent=country)
    last = selectors.children_of(parent_ids=[country.id], kind="", first=5, after="")[country.id].cursors[0]

    pages = selectors.children_of(parent_ids=[country.id, city.id], kind="", first=5, after=last)

    assert (pages[country.id].views, pages[country.id].total, pages[country.id].has_previous) == ([], 1, True)
    assert (pages[city.id].views, pages[city.id].total) == ([], 0)


def test_a_parent_named_twice_has_one_page():
    """Seen failing (the child listed twice, and a next page) without making the parents distinct."""
    country = DestinationFactory()
    city = DestinationFactory(kind="CITY", parent=country)

    pages = selectors.children_of(parent_ids=[country.id, country.id], kind="", first=1, after="")

    assert [view.id for view in pages[country.id].views] == [city.id]
    assert not pages[country.id].has_next
