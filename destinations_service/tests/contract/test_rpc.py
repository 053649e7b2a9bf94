"""travel.destinations.v1 over a real socket: who may call it, and what it answers."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2 as pb
from contracts.travel.destinations.v1.destinations_pb2_grpc import (
    DestinationsServiceStub,
    add_DestinationsServiceServicer_to_server,
)
from destinations_service.catalogue.models import (
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    Photo,
    SlugRedirect,
    TripTranslation,
)
from destinations_service.catalogue.rpc.servicer import DestinationsServicer
from destinations_service.catalogue.selectors import destinations_by_key, trips_by_key
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.auth.testing import credential_of
from shared.ids import uuid7
from shared.rpc.testing import running

pytestmark = pytest.mark.django_db(transaction=True)
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["DestinationsService"].methods]


@pytest.fixture
def stub() -> Iterator[DestinationsServiceStub]:
    with running(lambda server: add_DestinationsServiceServicer_to_server(DestinationsServicer(), server)) as server:
        with grpc.insecure_channel(server.address) as channel:
            yield DestinationsServiceStub(channel)


def call(stub: Any, method: str, *, caller: str = "gateway", audience: str = "destinations", **fields: Any) -> Any:
    metadata = [("x-service-credential", credential_of(caller, audience))]
    return getattr(stub, method)(getattr(pb, f"{method}Request")(**fields), metadata=metadata, timeout=10)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_needs_a_credential_for_this_service(stub, method):
    with pytest.raises(grpc.RpcError) as missing:
        getattr(stub, method)(getattr(pb, f"{method}Request")(), timeout=10)
    with pytest.raises(grpc.RpcError) as wrong_audience:
        call(stub, method, audience="users")
    with pytest.raises(grpc.RpcError) as not_allowed:
        call(stub, method, caller="users")

    assert (missing.value.code(), wrong_audience.value.code()) == (grpc.StatusCode.UNAUTHENTICATED,) * 2
    assert not_allowed.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_destinations_are_returned_in_the_order_of_the_request(stub):
    first, second = DestinationFactory(slug="first"), DestinationFactory(slug="second", latitude=1.5, longitude=2.5)

    places = call(
        stub, "BatchGetDestinations", ids=[str(second.id), str(uuid7())], slugs=["first", "none"]
    ).destinations

    assert [place.slug for place in places] == ["second", "first"]
    assert (places[0].latitude, places[0].HasField("population"), places[1].HasField("latitude")) == (1.5, False, False)
    assert first.id != second.id


def test_an_earlier_slug_finds_its_row_with_the_present_one_by_one_statement(stub, django_assert_num_queries):
    """Seen failing (nothing found) before redirects."""
    place, trip = DestinationFactory(slug="place"), TripFactory(slug="tour")
    SlugRedirect.objects.create(destination=place, slug="old-place")
    SlugRedirect.objects.create(destination=place, slug="older-place")
    SlugRedirect.objects.create(trip=trip, slug="old-tour")

    with django_assert_num_queries(2):
        places = destinations_by_key(slugs=["older-place", "place", "old-tour", "old-place"])
        trips = trips_by_key(ids=[trip.id], slugs=["old-tour", "old-place"])
    served = call(stub, "BatchGetDestinations", slugs=["old-place"]).destinations

    assert [found.slug for found in places] == ["place"] * 3
    assert [found.slug for found in trips] == ["tour"] * 2
    assert [found.slug for found in served] == ["place"]
    assert [found.slug for found in call(stub, "BatchGetTrips", slugs=["old-tour"]).trips] == ["tour"]


def test_get_departure_returns_what_a_quote_is_made_from(stub):
    departure = DepartureFactory(trip=TripFactory(tax_basis_points=2_000))

    answer = call(stub, "GetDeparture", caller="bookings", id=str(departure.id))

    assert (answer.departure.status, answer.departure.version) == (pb.DEPARTURE_STATUS_OPEN, 1)
    assert answer.departure.adult_price == common_pb2.Money(minor_units=10_000, currency_code="EUR")
    assert answer.departure.tax_basis_points == 2_000
    assert [rule.days_before for rule in answer.trip.cancellation_policy] == [30, 7]


def test_every_parent_has_a_page_in_the_order_of_the_request(stub):
    without_trips, with_trip = DestinationFactory(), DestinationFactory()
    TripFactory(destination=with_trip)

    pages = call(stub, "BatchListTrips", destination_ids=[str(without_trips.id), str(with_trip.id)]).pages

    assert [(page.destination_id, len(page.edges)) for page in pages] == [
        (str(without_trips.id), 0),
        (str(with_trip.id), 1),
    ]


def test_trip_contents_are_in_the_order_of_the_request_and_unknown_trips_are_left_out(stub):
    full, empty = TripFactory(meeting_latitude=1.5, meeting_longitude=2.5, languages=["en"]), TripFactory()
    TripTranslation.objects.filter(trip=full, language="EN").update(
        included=["Guide", "Tea"], excluded=["Flights"], meeting_point="The clock"
    )
    TripTranslation.objects.filter(trip=full, language="FR").update(included=["Guide FR"])
    for number in (2, 1):
        day = ItineraryDay.objects.create(trip=full, day=number, destination=full.destination if number == 1 else None)
        ItineraryDayTranslation.objects.create(
            itinerary_day=day, language="EN", title=f"Day {number}", description="<script>x</script>**Walk**"
        )

    ids = [str(empty.id), str(uuid7()), str(full.id)]
    contents = call(stub, "BatchGetTripContents", trip_ids=ids).contents

    assert [content.trip_id for content in contents] == [str(empty.id), str(full.id)]
    assert contents[0] == pb.TripContent(trip_id=str(empty.id))
    content = contents[1]
    assert [(day.day, day.title.fr, day.description.fr, day.destination_id) for day in content.itinerary] == [
        (1, "Day 1", "**Walk**", str(full.destination_id)),
        (2, "Day 2", "**Walk**", ""),
    ]
    assert [(line.en, line.fr) for line in content.included] == [("Guide", "Guide FR"), ("Tea", "Tea")]
    assert [(line.en, line.fr) for line in content.excluded] == [("Flights", "Flights")]
    point = content.meeting_point
    assert (point.name.en, point.name.fr, point.latitude, point.longitude) == ("The clock", "The clock", 1.5, 2.5)


def test_visiting_times_are_in_the_order_of_the_request(stub):
    museum, park = DestinationFactory(), DestinationFactory(season_from_month=11, season_to_month=3)
    for weekday, opens, closes in ((2, "14:00", "18:30"), (2, "09:00", "12:00"), (1, "09:00", "12:00")):
        OpeningHours.objects.create(destination=museum, weekday=weekday, opens=opens, closes=closes)

    ids = [str(park.id), str(uuid7()), str(museum.id)]
    first, second = call(stub, "BatchGetVisitingTimes", destination_ids=ids).visiting_times

    assert first == pb.VisitingTimes(destination_id=str(park.id), season_from_month=11, season_to_month=3)
    assert [(hours.weekday, hours.opens, hours.closes) for hours in second.opening_hours] == [
        (1, "09:00", "12:00"), (2, "09:00", "12:00"), (2, "14:00", "18:30"),
    ]  # fmt: skip
    assert (second.season_from_month, second.season_to_month) == (0, 0)


def test_photos_of_trips_and_destinations_come_together(stub):
    trip = TripFactory()
    words = {"is_drawn": True, "alt_en": "Map", "alt_fr": "Carte", "credit": "x", "license": "y"}
    Photo.objects.create(trip=trip, **words)
    Photo.objects.create(destination=trip.destination, **words)

    photos = call(stub, "BatchListPhotos", destination_ids=[str(trip.destination_id)], trip_ids=[str(trip.id)]).photos

    assert {(photo.destination_id, photo.trip_id) for photo in photos} == {
        (str(trip.destination_id), ""), ("", str(trip.id)),
    }  # fmt: skip


def test_a_trip_says_its_languages_and_the_size_of_its_group(stub):
    trip = TripFactory(languages=["en", "fr"], minimum_group=4)

    message = call(stub, "BatchGetTrips", ids=[str(trip.id)]).trips[0]

    assert (list(message.languages), message.minimum_group) == (["en", "fr"], 4)
    assert not message.HasField("maximum_group")


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("BatchGetDestinations", {"ids": ["1"]}),
        ("BatchGetDestinations", {"ids": ["x"] * 1_001}),
        ("BatchGetTripContents", {"trip_ids": ["1"]}),
        ("BatchGetTripContents", {"trip_ids": [str(uuid7())] * 1_001}),
        ("BatchGetVisitingTimes", {"destination_ids": [""]}),
        ("BatchListPhotos", {"destination_ids": [str(uuid7())] * 600, "trip_ids": [str(uuid7())] * 600}),
        ("GetDeparture", {"id": "' OR 1=1 --"}),
        ("SearchDestinations", {"page": common_pb2.PageRequest(first=101)}),
        ("SearchDestinations", {"page": common_pb2.PageRequest(first=-1)}),
        ("SearchDestinations", {"page": common_pb2.PageRequest(after="AAAA")}),
        ("SearchDestinations", {"near": pb.Near(latitude=91, longitude=0, radius_km=1)}),
        ("SearchDestinations", {"near": pb.Near(latitude=float("nan"), longitude=0, radius_km=1)}),
        ("SearchDestinations", {"search": "x" * 10_240}),
        ("SearchDestinations", {"kind": 99}),
        ("SearchTrips", {"seats": -1}),
        ("SearchTrips", {"departs": common_pb2.DateRange(until="tomorrow")}),
    ],
)
def test_a_malformed_request_is_an_invalid_argument(stub, method, fields):
    with pytest.raises(grpc.RpcError) as refusal:
        call(stub, method, **fields)

    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_unknown_departure_is_not_found(stub):
    with pytest.raises(grpc.RpcError) as refusal:
        call(stub, "GetDeparture", id=str(uuid7()))

    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
