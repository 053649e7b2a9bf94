"""Queries over real gRPC: batches, languages, unavailable services, and objects of other travellers."""

import base64
from typing import Any
from uuid import UUID

import pytest

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.operation.catalogue_cache import catalogue_cache
from gateway_service.tests.backends import Backends
from shared.errors import RateLimited
from shared.ids import uuid7

EVERYTHING = """
query Everything($first: Int) {
  me { id email bookings(first: $first) { totalCount edges { cursor node {
    id reference title status total { amount currency } traveller { id }
    departure { id startsAt seatsAvailable convertedAdultPrice(currency: "USD") { amount currency }
      trip { title destination { name parent { name } ancestors { name } } } }
    history { sequence message } invoice { number } creditNotes { number } lines { label tax { amount } }
  } } } }
}
"""


@pytest.fixture
def account(backends: Backends, traveller_id: UUID) -> users_pb2.User:
    user = users_pb2.User(id=str(traveller_id), email="ann@example.org", email_verified=True)
    user.profile.locale = common_pb2.LOCALE_FR
    backends.world.users[user.id] = user
    return user


async def test_the_number_of_rpcs_does_not_grow_with_the_rows(
    ask: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    """Seen failing if every use makes a new loader."""
    backends.world.users[str(traveller_id)] = users_pb2.User(id=str(traveller_id), email="ann@example.org")
    counts = []
    for rows in (1, 8):
        for number in range(rows):
            backends.world.add_booking(traveller_id, number + rows * 100)
        catalogue_cache().forget_all()
        before = backends.calls
        answer = await ask(EVERYTHING, token=token, first=100)
        counts.append(backends.calls - before)
        assert "errors" not in answer

    assert len(answer["data"]["me"]["bookings"]["edges"]) == 9
    assert counts[0] == counts[1]
    assert set(counts[1].values()) <= {1, 2}  # BatchGetDestinations: the destinations of the trips, then their parents
    assert counts[1]["BatchGetDepartures"] == 1


async def test_a_booking_is_shown_as_the_contract_says(
    ask: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    answer = await ask(EVERYTHING, token=token, headers={"Accept-Language": "fr"})

    (edge,) = answer["data"]["me"]["bookings"]["edges"]
    node = edge["node"]
    assert node["id"] == base64.b64encode(f"Booking:{booking.id}".encode()).decode()
    assert (node["title"], node["status"], node["total"]) == (
        "Balade", "CONFIRMED", {"amount": "100.00", "currency": "EUR"}
    )  # fmt: skip
    assert node["departure"]["startsAt"] == "2026-12-23T12:00:00.000Z"
    assert node["departure"]["seatsAvailable"] == 7
    assert node["departure"]["convertedAdultPrice"] == {"amount": "125.00", "currency": "USD"}
    assert [event["message"] for event in node["history"]] == ["Fait 1", "Fait 2", "Fait 3"]
    assert node["lines"] == [{"label": "Adulte", "tax": None}]
    assert node["traveller"]["id"] == answer["data"]["me"]["id"]


async def test_the_language_is_the_argument_then_the_header_then_the_profile(
    ask: Any, backends: Backends, account: users_pb2.User, token: str
) -> None:
    backends.world.add_trip(1)
    query = "{ trips { edges { node { title en: title(locale: EN) } } } }"

    def title(answer: Any) -> Any:
        return answer["data"]["trips"]["edges"][0]["node"]

    assert title(await ask(query)) == {"title": "Walk", "en": "Walk"}
    assert title(await ask(query, headers={"Accept-Language": "fr-CA,en;q=0.5"})) == {"title": "Balade", "en": "Walk"}
    assert title(await ask(query, token=token)) == {"title": "Balade", "en": "Walk"}
    assert title(await ask(query, token=token, headers={"Accept-Language": "en"}))["title"] == "Walk"


@pytest.mark.parametrize(
    ("service", "path", "kept"),
    [
        ("destinations", "departure", "reference"),
        ("notifications", "invoice", "departure"),
        ("users", "email", "bookings"),
    ],
)
async def test_an_unavailable_service_makes_only_its_own_fields_null(
    service: str, path: str, kept: str, ask: Any, unavailable: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    backends.world.add_booking(traveller_id)
    unavailable(service)

    answer = await ask(
        "{ me { email bookings { edges { node { reference departure { id } invoice { number } } } } } }", token=token
    )

    me = answer["data"]["me"]
    node = me["bookings"]["edges"][0]["node"]
    (error,) = [error for error in answer["errors"] if error["path"][-1] == path]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE", "retryAfter": 1}
    assert (me if path == "email" else node)[path] is None
    assert {**me, **node}[kept] is not None


async def test_me_needs_only_the_token(ask: Any, unavailable: Any, traveller_id: UUID, token: str) -> None:
    unavailable("users")

    assert (await ask("{ me { id } }", token=token))["data"]["me"]["id"] == to_global_id("User", str(traveller_id))
    assert (await ask("{ me { id } }"))["data"] == {"me": None}


@pytest.mark.parametrize(
    "type_name",
    [
        "User",
        "Quote",
        "Booking",
        "Payment",
        "Refund",
        "CancellationQuote",
        "Notification",
        "Invoice",
        "Session",
        "Nope",
    ],
)
async def test_node_of_another_traveller_is_null(
    type_name: str, ask: Any, backends: Backends, account: users_pb2.User, token: str
) -> None:
    """The answer does not reveal whether the object exists."""
    theirs = backends.world.add_booking(uuid7()).id
    query = "query($id: ID!) { node(id: $id) { id } }"

    seen = await ask(query, token=token, id=to_global_id(type_name, theirs))
    unknown = await ask(query, token=token, id=to_global_id(type_name, str(uuid7())))
    signed_out = await ask(query, id=to_global_id(type_name, theirs))

    assert seen == unknown == signed_out == {"data": {"node": None}}


async def test_node_returns_public_and_own_objects(
    ask: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    query = "query($id: ID!) { node(id: $id) { id __typename } }"
    ids = [
        ("Booking", booking.id),
        ("User", str(traveller_id)),
        ("Departure", booking.departure_id),
        *(("Trip", trip) for trip in backends.world.trips),
        *(("Destination", destination) for destination in backends.world.destinations),
    ]

    for type_name, raw in ids:
        node = (await ask(query, token=token, id=to_global_id(type_name, raw)))["data"]["node"]
        assert node == {"id": to_global_id(type_name, raw), "__typename": type_name}


async def test_a_booking_of_another_traveller_is_null_without_an_error(
    ask: Any, backends: Backends, token: str
) -> None:
    theirs = backends.world.add_booking(uuid7())

    assert await ask("query($r: String!) { booking(reference: $r) { id } }", token=token, r=theirs.reference) == {
        "data": {"booking": None}
    }
    (error,) = (await ask('{ booking(reference: "X") { id } }'))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_traveller_who_guesses_references_is_told_when_to_ask_again(
    ask: Any, backends: Backends, token: str
) -> None:
    """bookings_service counts the guesses. Its refusal is no null, as for an unknown booking."""
    backends.world.refusals["GetBooking"] = RateLimited(retry_after=37)

    (error,) = (await ask('{ booking(reference: "WRONG") { id } }', token=token))["errors"]

    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 37}


@pytest.mark.parametrize("arguments", ["first: 0", "first: -1", "first: 101", 'after: "AAAA"', 'after: "%%%"'])
async def test_pages_and_cursors_are_checked(arguments: str, ask: Any, backends: Backends) -> None:
    """A page size out of range or a malformed cursor is refused without a call of a service."""
    answer = await ask(f"{{ trips({arguments}) {{ totalCount }} }}")

    assert answer["data"]["trips"] is None
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["errors"][0]["extensions"]["field"] == arguments.split(":")[0]
    assert backends.calls["SearchTrips"] == 0


async def test_a_cursor_is_valid_only_for_its_own_list(ask: Any, backends: Backends) -> None:
    """Seen failing (one SearchTrips more) without ListKey's fingerprint."""
    backends.world.add_trip(1)
    cursor = (await ask("{ trips { edges { cursor } } }"))["data"]["trips"]["edges"][0]["cursor"]

    ok = await ask("query($c: String) { trips(after: $c) { totalCount } }", c=cursor)
    other = await ask("query($c: String) { destinations(after: $c) { totalCount } }", c=cursor)
    filtered = await ask("query($c: String) { trips(after: $c, seats: 2) { totalCount } }", c=cursor)

    assert "errors" not in ok
    assert [answer["errors"][0]["extensions"]["code"] for answer in (other, filtered)] == ["BAD_USER_INPUT"] * 2
    assert backends.calls["SearchTrips"] == 2


async def test_arguments_out_of_range_are_refused(ask: Any, backends: Backends) -> None:
    trip = to_global_id("Trip", str(uuid7()))
    refused = {
        "near.latitude": "{ destinations(near: {latitude: 91, longitude: 0, radiusKm: 1}) { totalCount } }",
        "near.radiusKm": "{ destinations(near: {latitude: 1, longitude: 0, radiusKm: -1}) { totalCount } }",
        "id": f'{{ destination(id: "{trip}") {{ slug }} }}',
        "seats": "{ trips(seats: 0) { totalCount } }",
        "maxPrice.amount": '{ trips(maxPrice: {amount: "1.001", currency: "EUR"}) { totalCount } }',
        "maxPrice.currency": '{ trips(maxPrice: {amount: "1", currency: "eur"}) { totalCount } }',
    }
    for field, query in refused.items():
        (error,) = (await ask(query))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", field)
    for both in ("{ trip { slug } }", f'{{ trip(id: "{trip}", slug: "x") {{ slug }} }}'):
        assert (await ask(both))["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert backends.calls.total() == 0


async def test_an_earlier_slug_finds_what_has_another_one_now(ask: Any, backends: Backends) -> None:
    """Seen failing (null) when the answer's slug was compared with the one that was asked for."""
    place, trip = destinations_pb2.Destination(id=str(uuid7()), slug="town"), str(uuid7())
    backends.world.destinations[place.id] = place
    backends.world.trips[trip] = destinations_pb2.Trip(id=trip, slug="tour", destination_id=place.id)
    backends.world.slugs.update({"old-town": place.id, "old-tour": trip})

    answer = await ask('{ destination(slug: "old-town") { slug } trip(slug: "old-tour") { slug } }')
    nothing = await ask('{ destination(slug: "nowhere") { slug } trip(slug: "nowhere") { slug } }')

    assert answer["data"] == {"destination": {"slug": "town"}, "trip": {"slug": "tour"}}
    assert nothing["data"] == {"destination": None, "trip": None}
