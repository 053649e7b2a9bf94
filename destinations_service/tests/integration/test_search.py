"""The search for places and trips: filters, orders, and pages that stay stable when rows are added."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import DestinationQuery, TripQuery
from destinations_service.catalogue.domain import Near
from destinations_service.catalogue.models import ExchangeRate
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.errors import Invalid
from shared.money import Money

pytestmark = pytest.mark.django_db


def slugs_of_places(first=20, after="", **query):
    listed = selectors.search_destinations(query=DestinationQuery(**query), first=first, after=after)
    return [view.slug for view in listed.views]


@pytest.fixture
def france():
    return DestinationFactory(slug="france", names=("France", "France"), population=67_000_000)


@pytest.fixture
def paris(france):
    return DestinationFactory(
        slug="paris", kind="CITY", parent=france, names=("Paris", "Paris"), population=2_100_000,
        latitude=48.8566, longitude=2.3522, tags=["capital"], daily_cost=180,
    )  # fmt: skip


@pytest.fixture
def nimes(france):
    return DestinationFactory(
        slug="nimes", kind="CITY", parent=france, names=("Nimes", "Nîmes"), population=150_000,
        latitude=43.8367, longitude=4.3601, tags=["roman"], daily_cost=90,
    )  # fmt: skip


def test_search_finds_names_in_any_language_without_accents_and_with_typos(france, paris, nimes):
    assert slugs_of_places(search="NIMES") == ["nimes"]
    assert slugs_of_places(search="nîm") == ["nimes"]
    assert slugs_of_places(search="pariss")[0] == "paris"


@pytest.mark.parametrize("text", ["%", "%_%", "(a+)+$", "a & | !", "' OR 1=1 --", "\\", "😀"])
def test_special_characters_are_searched_as_plain_text(france, paris, text):
    began = time.monotonic()

    assert slugs_of_places(search=text) == []
    assert time.monotonic() - began < 5


def test_each_filter_excludes_other_places(france, paris, nimes):
    assert slugs_of_places(kind="COUNTRY") == ["france"]
    assert slugs_of_places(parent_id=france.id) == ["paris", "nimes"]
    assert slugs_of_places(tags=("roman",)) == ["nimes"]
    assert slugs_of_places(country_code="fr", kind="CITY") == ["paris", "nimes"]
    assert slugs_of_places(max_daily_cost=Money(Decimal(100), "EUR")) == ["nimes"]


def test_daily_costs_are_compared_in_euros(france, paris, nimes):
    ExchangeRate.objects.create(currency="USD", rate=Decimal("1.25"), as_of=date(2026, 1, 1), source="a test")

    assert slugs_of_places(max_daily_cost=Money(Decimal(120), "USD")) == ["nimes"]
    with pytest.raises(Invalid, match="no exchange rate"):
        slugs_of_places(max_daily_cost=Money(Decimal(120), "GBP"))


def test_search_near_a_point_returns_and_orders_by_distance(france, paris, nimes):
    listed = selectors.search_destinations(
        query=DestinationQuery(near=Near(43.3, 5.4, 1_000), order="DISTANCE"), first=20, after=""
    )

    assert [(view.slug, round(view.distance_km or 0)) for view in listed.views] == [("nimes", 103), ("paris", 661)]
    assert slugs_of_places(near=Near(43.3, 5.4, 110)) == ["nimes"]


def test_names_are_ordered_in_the_requested_language(france):
    DestinationFactory(slug="a", names=("Zed", "Abri"), kind="CITY", parent=france)
    DestinationFactory(slug="b", names=("Ape", "Zinc"), kind="CITY", parent=france)

    assert slugs_of_places(kind="CITY", order="NAME", language="EN") == ["b", "a"]
    assert slugs_of_places(kind="CITY", order="NAME", language="FR") == ["a", "b"]


@pytest.mark.parametrize("order", ["NAME", "POPULARITY", "DAILY_COST", "DISTANCE", "RELEVANCE"])
def test_pages_neither_repeat_nor_skip_rows_when_rows_are_added(france, order):
    for number in range(7):
        DestinationFactory(
            slug=f"here-{number}", kind="CITY", parent=france, names=(f"Here {number}", "x"), population=number % 3,
            latitude=1.0 + number % 2, longitude=2.0, daily_cost=50 + number % 2,
        )  # fmt: skip
    query = {"kind": "CITY", "order": order, "search": "here" if order == "RELEVANCE" else "", "near": Near(1, 2, 500)}
    seen, after, more = [], "", True

    while more:
        listed = selectors.search_destinations(query=DestinationQuery(**query), first=2, after=after)
        seen += [view.slug for view in listed.views]
        after, more = listed.cursors[-1], listed.has_next
        if len(seen) == 2:
            DestinationFactory(slug="late", kind="CITY", parent=france, names=("Here 0", "x"), population=9, latitude=1.0,
                               longitude=2.0, daily_cost=1)  # fmt: skip

    assert len(seen) == len(set(seen))
    assert {slug for slug in seen if slug != "late"} == {f"here-{number}" for number in range(7)}


@pytest.mark.parametrize("cursor", ["AAAA", "garbage", "é", "W10", "x" * 5_000])
def test_an_unknown_cursor_is_refused(france, cursor):
    with pytest.raises(Invalid) as refusal:
        slugs_of_places(after=cursor)

    assert refusal.value.field == "after"


def test_a_cursor_of_another_list_is_refused(france, paris):
    TripFactory(destination=paris)
    other = selectors.search_trips(query=TripQuery(), first=1, after="")

    with pytest.raises(Invalid):
        slugs_of_places(after=other.cursors[0])


def slugs_of_trips(**query):
    return [view.slug for view in selectors.search_trips(query=TripQuery(**query), first=20, after="").views]


def test_trips_are_filtered_by_destination_date_seats_and_price(france, paris):
    soon, late = TripFactory(slug="soon", destination=paris), TripFactory(slug="late", destination=france)
    departs = datetime.now(UTC) + timedelta(days=3)
    DepartureFactory(trip=soon, starts_at=departs, seats_left=2, adult_price=Decimal(300))
    DepartureFactory(trip=late, starts_at=departs + timedelta(days=100), adult_price=Decimal(90))

    assert set(slugs_of_trips(destination_id=france.id)) == {"soon", "late"}
    assert slugs_of_trips(destination_id=paris.id) == ["soon"]
    assert slugs_of_trips(departs_before=(departs + timedelta(days=1)).date()) == ["soon"]
    assert slugs_of_trips(departs_after=(departs + timedelta(days=1)).date()) == ["late"]
    assert slugs_of_trips(seats=3) == ["late"]
    assert slugs_of_trips(max_price=Money(Decimal(100), "EUR")) == ["late"]
    assert slugs_of_trips(order="PRICE") == ["late", "soon"]
    assert slugs_of_trips(order="DEPARTURE_DATE") == ["soon", "late"]


def test_an_end_before_the_start_is_refused():
    with pytest.raises(Invalid):
        slugs_of_trips(departs_after=date(2027, 2, 1), departs_before=date(2027, 1, 1))


def test_from_price_is_the_lowest_price_of_the_open_departures_to_come(paris):
    trip = TripFactory(destination=paris)
    DepartureFactory(trip=trip, adult_price=Decimal("250.00"))
    DepartureFactory(trip=trip, adult_price=Decimal("90.00"), status="CLOSED")
    DepartureFactory(trip=trip, adult_price=Decimal("80.00"), starts_at=datetime.now(UTC) - timedelta(days=1))

    view = selectors.trips_by_key(ids=[trip.id])[0]

    assert view.from_price == Money(Decimal("250.00"), "EUR")
    assert [(rule.days_before, rule.refund_percent) for rule in view.policy] == [(30, 100), (7, 50)]
