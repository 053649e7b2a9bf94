"""No GraphQL request makes the platform fail, hang or grow. 60 seconds in every run, ten minutes in the proofs."""

import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import httpx
import pytest

from shared.testing.scale import scaled, show
from tests.fuzzing import answers, sockets
from tests.fuzzing.generated import Request, request_of, values_of
from tests.fuzzing.visitors import SEED, departures_apart, keep_signed_in, own_objects, travellers, visitor
from tests.fuzzing.watch import Watch, memory
from tests.journeys.api import Client
from tests.journeys.travellers import Traveller

DURATION = scaled(reduced=60, whole=600)
CATALOGUE = """{ destinations(first: 5) { edges { node { id slug } } }
  trips(first: 5) { edges { node { id slug departures(first: 3) { edges { node { id } } } } } } }"""


@dataclass
class Run:
    """The requests so far: how many were sent, and what was wrong with their answers."""

    visitors: list[Client]
    values: Any
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)  # what was wrong, with the first request that showed it

    def send(self, seed: int) -> None:
        """Send the request of a seed, or every fortieth time a conversation over a socket."""
        client = self.visitors[seed % len(self.visitors)]
        self.sent += 1
        if seed % 40 == 0:
            frames = sockets.frames_of(Random(seed), self.values, client.token)
            for fault in sockets.faults(frames):
                self.found.setdefault(f"WebSocket: {fault}", f"seed {seed}: {frames!r}"[:1_500])
        else:
            self._post(client, request_of(seed, self.values))

    def _post(self, client: Client, request: Request) -> None:
        headers = request.encoded_headers(client.headers())
        try:
            response = client.http.post("/graphql", content=request.content, headers=headers)
        except httpx.HTTPError as error:
            self.found.setdefault(type(error).__name__, str(request))
            return
        for fault in answers.faults(response, has_deadline="X-Request-Timeout-Ms" in request.headers):
            self.found.setdefault(fault, str(request))
        self.statuses[response.status_code] += 1
        if response.status_code == 401 and "Authorization" not in request.headers:
            keep_signed_in(client)


@pytest.fixture(scope="module")
def run() -> Run:
    """A run with three travellers who have bookings and quotes, and two visitors who are not signed in."""
    signed_in = travellers(3, network=41)
    departures = departures_apart()
    references, quotes = zip(*(own_objects(traveller, next(departures)) for traveller in signed_in), strict=True)
    visitors: list[Client] = [*signed_in, visitor(45), visitor(46)]
    return Run(visitors, _values(signed_in, references, quotes))


def _values(signed_in: list[Traveller], references: tuple[str, ...], quotes: tuple[str, ...]) -> Any:
    catalogue = Client().graphql(CATALOGUE)
    trips = [edge["node"] for edge in catalogue.field("trips")["edges"]]
    destinations = [edge["node"] for edge in catalogue.field("destinations")["edges"]]
    mine = "{ me { id sessions { id } bookings(first: 5) { edges { node { id passengers { id } } } } } }"
    accounts = [traveller.graphql(mine).field("me") for traveller in signed_in]
    bookings = [edge["node"] for account in accounts for edge in account["bookings"]["edges"]]
    return values_of(
        ids={
            "User": [account["id"] for account in accounts],
            "Session": [session["id"] for account in accounts for session in account["sessions"]],
            "Booking": [booking["id"] for booking in bookings],
            "BookingPayload": [passenger["id"] for booking in bookings for passenger in booking["passengers"]],
            "Quote": quotes,
            "Trip": [trip["id"] for trip in trips],
            "Destination": [destination["id"] for destination in destinations],
            "Departure": [edge["node"]["id"] for trip in trips for edge in trip["departures"]["edges"]],
        },
        good={
            "reference": references,
            "quote": quotes,
            "slug": [each["slug"] for each in (*trips, *destinations)],
            "email": [traveller.email for traveller in signed_in],
            "password": [signed_in[0].password],
            "paymentMethod": ["pm_ok", "pm_declined", "pm_action", "pm_error"],
            "idempotencyKey": ["fuzz-1", "fuzz-2", "fuzz-3"],
            "timeZone": ["Europe/Paris"],
            "adults": [1, 2],
        },
    )


def test_no_graphql_request_makes_the_platform_fail_hang_or_grow(run, capsys):
    watch, seeds, begins = Watch(), count(SEED * 1_000_000), time.monotonic()
    while time.monotonic() < begins + DURATION / 3:
        run.send(next(seeds))
    warm = memory(watch.platform)
    while time.monotonic() < begins + DURATION:
        run.send(next(seeds))
    hot = memory(watch.platform)

    show(capsys, f"GraphQL, seed {SEED}: {run.sent} requests, statuses {dict(run.statuses)}\n{warm}\n{hot}")
    wrong = [*(f"{fault}: {request}" for fault, request in run.found.items()), *watch.wrong(warm, hot)]
    assert not wrong, "\n".join(wrong)
