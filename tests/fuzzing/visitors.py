"""Visitors of the fuzzers: own accounts and own networks, so that they use up nobody else's limits."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime

import httpx

from tests.journeys.api import Client, address
from tests.journeys.conftest import TRIPS
from tests.journeys.travellers import Departure, Traveller

SEED = int(os.environ.get("FUZZ_SEED", "11"))  # the same in every run, so that a failure comes again
SECONDS = 15.0  # an answer takes 10 s at most (GRAPHQL_SECONDS); the rest is for a busy machine


def http_from(network: int) -> httpx.Client:
    """Return a client at a loopback address of its own. Only Linux has more than one."""
    source = f"127.0.0.{network}" if sys.platform == "linux" else None
    url = address("PUBLIC_URL").replace("localhost", "127.0.0.1")
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=source), timeout=SECONDS)


def travellers(count: int, *, network: int) -> list[Traveller]:
    """Return signed-in travellers, each in a network of its own."""
    registered = [Traveller.register(first_name="Fuzz") for _ in range(count)]
    for number, traveller in enumerate(registered):
        traveller.http = http_from(network + number)
    return registered


def visitor(network: int) -> Client:
    """Return a visitor who is not signed in."""
    return Client(http=http_from(network))


def keep_signed_in(client: Client) -> None:
    """Sign a traveller in again. Access tokens end after minutes, and a fuzzer may end its own session."""
    if isinstance(client, Traveller):
        client.token = None
        client.sign_in()


def departures_apart() -> Iterator[Departure]:
    """Yield departures with free seats, the latest first: the journeys book the first ones."""
    trips = Client().graphql(TRIPS).field("trips")["edges"]
    nodes = [edge["node"] for trip in trips for edge in trip["node"]["departures"]["edges"]]
    for node in sorted(nodes, key=lambda node: node["startsAt"], reverse=True):
        if (node["seatsAvailable"] or 0) >= 10:
            yield Departure(node["id"], node["seatsAvailable"], datetime.fromisoformat(node["startsAt"]))


def own_objects(traveller: Traveller, departure: Departure) -> tuple[str, str]:
    """Return the reference of a new PENDING booking and the id of an unused quote."""
    reference = str(traveller.hold(departure, adults=1)["reference"])
    return reference, str(traveller.quote(departure, adults=1)["id"])
