"""The proofs of events on a whole platform: they need it, as the journeys do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.api import Client
from tests.journeys.conftest import TRIPS
from tests.journeys.travellers import Departure, Traveller
from tests.outages.travellers import told_by_sms


@pytest.fixture(scope="session")
def travellers() -> list[Traveller]:
    """Four travellers who are told by mail and by SMS."""
    return [told_by_sms() for _ in range(4)]


@pytest.fixture(scope="session")
def departures() -> list[Departure]:
    """Departures months ahead with at least fifty free seats."""
    trips = Client().graphql(TRIPS).field("trips")["edges"]
    nodes = [edge["node"] for trip in trips for edge in trip["node"]["departures"]["edges"]]
    after = datetime.now(UTC) + timedelta(days=60)
    return [
        Departure(id=node["id"], seats=node["seatsAvailable"], starts_at=datetime.fromisoformat(node["startsAt"]))
        for node in nodes
        if (node["seatsAvailable"] or 0) >= 50 and datetime.fromisoformat(node["startsAt"]) > after
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every proof: it needs the whole platform."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.platform)
