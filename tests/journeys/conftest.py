"""Travellers of a running platform, and departures that no two tests share."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.testing import eventually
from tests.journeys.api import Client
from tests.journeys.travellers import Departure, Traveller

TRIPS = """query { trips(first: 40) { edges { node { id title
  departures(first: 20, onlyAvailable: true) { edges { node { id startsAt seatsAvailable status } } } } } } }"""


@pytest.fixture(scope="session")
def traveller() -> Traveller:
    """A verified traveller, signed in."""
    return Traveller.register(first_name="Ann")


@pytest.fixture(scope="session")
def stranger() -> Traveller:
    """Another verified traveller, who must not see the first one's data."""
    return Traveller.register(first_name="Mallory")


@pytest.fixture
def booker() -> Traveller:
    """A new verified traveller for each test that leaves bookings unpaid, because an account may have only five of
    them.
    """
    return Traveller.register(first_name="Rob")


@pytest.fixture
def visitor() -> Client:
    """A client that is not signed in."""
    return Client()


@pytest.fixture(scope="session")
def _departures_with_seats() -> Iterator[Departure]:
    trips = Client().graphql(TRIPS).field("trips")["edges"]
    departures = [
        Departure(
            id=edge["node"]["id"],
            seats=edge["node"]["seatsAvailable"],
            starts_at=datetime.fromisoformat(edge["node"]["startsAt"]),
        )
        for trip in trips
        for edge in trip["node"]["departures"]["edges"]
        if (edge["node"]["seatsAvailable"] or 0) >= 10
    ]
    far = [departure for departure in departures if departure.starts_at > datetime.now(UTC) + timedelta(days=90)]
    return iter(far or departures)


@pytest.fixture
def departure(_departures_with_seats: Iterator[Departure]) -> Departure:
    """A departure months ahead with at least ten free seats, which no other test uses."""
    return next(_departures_with_seats)


@pytest.fixture
def seats_free() -> Callable[[Departure], int]:
    """Return a function that returns the free seats of a departure."""
    query = "query ($id: ID!) { node(id: $id) { ... on Departure { seatsAvailable } } }"
    return lambda departure: Client().graphql(query, id=departure.id).field("node")["seatsAvailable"]


@pytest.fixture
def confirmed(traveller: Traveller) -> Callable[[Departure], str]:
    """Return a function that books and pays a departure, and returns the reference when the booking is CONFIRMED."""

    def confirm(departure: Departure, *, adults: int = 2) -> str:
        reference = str(traveller.hold(departure, adults=adults)["reference"])
        assert traveller.pay(reference).refusals("payBooking") == []
        eventually(lambda: traveller.booking(reference)["status"] == "CONFIRMED", timeout=30)
        return reference

    return confirm


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark every journey: it needs the whole platform. The tests that read the logs of the whole run come last."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.platform)
    yield  # to plugins that select and shuffle
    items.sort(key=lambda item: item.path.name == "test_canary.py")
