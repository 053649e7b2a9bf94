"""The search, suggestions, tags, trip content and visiting times over GraphQL."""

from typing import Any

import pytest

from contracts.travel.destinations.v1 import destinations_pb2 as d
from gateway_service.gateway.operation.catalogue_cache import catalogue_cache
from gateway_service.tests.backends import Backends
from gateway_service.tests.world import text

SEARCH = """
query Search($first: Int, $after: String) {
  search(text: "par", kinds: [CITY, TRIP], seats: 2, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage }
    edges { cursor highlights { field pieces { text matched } }
      node { __typename ... on Destination { name currency } ... on Trip { title } } }
  }
}
"""


def requests_of(backends: Backends, method: str) -> list[Any]:
    return [request for name, request, _ in backends.world.requests if name == method]


async def test_a_search_has_places_and_trips_with_highlights(ask: Any, backends: Backends) -> None:
    backends.world.add_trip(1)

    found = (await ask(SEARCH))["data"]["search"]

    nodes = [edge["node"] for edge in found["edges"]]
    assert [node["__typename"] for node in nodes] == ["Destination", "Destination", "Trip"]
    assert nodes[1] == {"__typename": "Destination", "name": "City", "currency": "EUR"}
    assert nodes[2] == {"__typename": "Trip", "title": "Walk"}
    assert found["totalCount"] == 3
    assert found["edges"][0]["highlights"] == [
        {"field": "name", "pieces": [{"text": "Ci", "matched": True}, {"text": "ty", "matched": False}]}
    ]
    (request,) = requests_of(backends, "Search")
    assert (request.text, list(request.kinds), request.seats, request.page.first) == ("par", [2, 4], 2, 20)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ("totalCount", False),
        ("facets { field }", True),
        ("...F", True),
        ("... on SearchConnection { facets { field } }", True),
        ("edges { node { __typename } }", False),
    ],
)
async def test_facets_are_counted_only_if_they_are_selected(
    ask: Any, backends: Backends, selection: str, wanted: bool
) -> None:
    """Seen failing (always asked for) without the look at the selection."""
    fragment = "fragment F on SearchConnection { facets { field } }" if "...F" in selection else ""

    await ask(f'{{ search(text: "a") {{ {selection} }} }} {fragment}')

    assert [request.with_facets for request in requests_of(backends, "Search")] == [wanted]


async def test_facets_have_labels_in_the_language_of_the_request(ask: Any, backends: Backends) -> None:
    query = '{ search(text: "a") { facets { field values { value label count } } } }'

    answer = await ask(query, headers={"Accept-Language": "fr"})

    assert answer["data"]["search"]["facets"] == [
        {"field": "kind", "values": [{"value": "CITY", "label": "Villes", "count": 1}]}
    ]


async def test_a_cursor_belongs_to_its_search(ask: Any, backends: Backends) -> None:
    backends.world.add_trip(1)
    cursor = (await ask(SEARCH))["data"]["search"]["edges"][0]["cursor"]

    same = await ask(SEARCH, first=5, after=cursor)
    other = await ask(SEARCH.replace('"par"', '"pari"'), after=cursor)

    assert "errors" not in same
    assert requests_of(backends, "Search")[1].page.after == "place 0"
    assert other["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", "seats: 0", 'maxPrice: {amount: "1", currency: "E"}'])
async def test_a_malformed_search_is_bad_user_input(ask: Any, backends: Backends, arguments: str) -> None:
    answer = await ask(f'{{ search(text: "a", {arguments}) {{ totalCount }} }}')

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert requests_of(backends, "Search") == []


async def test_suggestions_and_tags(ask: Any, backends: Backends) -> None:
    backends.world.add_trip(1)
    query = '{ suggest(text: "wa", first: 3) { text node { ... on Trip { title } } } tags { tag label count } }'

    answer = await ask(query, headers={"Accept-Language": "fr"})

    assert answer["data"] == {
        "suggest": [{"text": "Walk", "node": {"title": "Balade"}}],
        "tags": [{"tag": "beach", "label": "Plage", "count": 18}],
    }
    assert requests_of(backends, "Suggest")[0].first == 3


CONTENT = """
{ trips { edges { node {
    languages maximumGroup minimumGroup included excluded(locale: FR) photos { alt }
    meetingPoint { name latitude }
    itinerary { day title description destination { name openingHours { weekday opens closes } season { fromMonth toMonth } } }
    departures { edges { node { bookableFrom bookableUntil } } }
} } } }
"""


async def test_the_content_of_trips_and_visiting_times(ask: Any, backends: Backends) -> None:
    departure = backends.world.add_trip(1)
    trip = backends.world.trips[departure.trip_id]
    trip.maximum_group, trip.languages[:] = 12, ["en", "fr"]
    city = trip.destination_id
    backends.world.contents[trip.id] = d.TripContent(
        trip_id=trip.id,
        itinerary=[d.ItineraryDay(day=1, title=text("Arrival", "Arrivée"), destination_id=city)],
        included=[text("Breakfast", "Petit déjeuner")],
        excluded=[text("Flights", "Vols")],
        meeting_point=d.MeetingPoint(name=text("Station", "Gare"), latitude=1.5),
    )
    backends.world.visiting_times[city] = d.VisitingTimes(
        destination_id=city,
        opening_hours=[d.OpeningHours(weekday=1, opens="09:00", closes="18:00")],
        season_from_month=11,
        season_to_month=3,
    )
    backends.world.add_trip_photo(trip.id, "A map", "Une carte")
    catalogue_cache().forget_all()

    (edge,) = (await ask(CONTENT))["data"]["trips"]["edges"]

    node = edge["node"]
    dates = node.pop("departures")["edges"][0]["node"]
    assert dates["bookableFrom"] is None
    assert dates["bookableUntil"]
    assert node == {
        "languages": ["en", "fr"],
        "maximumGroup": 12,
        "minimumGroup": None,
        "included": ["Breakfast"],
        "excluded": ["Vols"],
        "photos": [{"alt": "A map"}],
        "meetingPoint": {"name": "Station", "latitude": 1.5},
        "itinerary": [
            {
                "day": 1,
                "title": "Arrival",
                "description": "",
                "destination": {
                    "name": "City",
                    "openingHours": [{"weekday": 1, "opens": "09:00", "closes": "18:00"}],
                    "season": {"fromMonth": 11, "toMonth": 3},
                },
            }
        ],
    }


async def test_a_trip_without_content_is_empty(ask: Any, backends: Backends) -> None:
    backends.world.add_trip(1)
    catalogue_cache().forget_all()

    (edge,) = (await ask(CONTENT))["data"]["trips"]["edges"]

    node = edge["node"]
    assert (node["itinerary"], node["included"], node["meetingPoint"], node["photos"]) == ([], [], None, [])
