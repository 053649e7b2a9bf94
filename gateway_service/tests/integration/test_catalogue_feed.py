"""What a traveller sees of the catalogue follows the events of destinations_service, with a real broker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.live.catalogue_feed import (
    DEPARTURES_TOPIC,
    DESTINATIONS_TOPIC,
    catalogue_feed,
    stop_catalogue_feed,
)
from gateway_service.gateway.operation import catalogue_cache as cache_module
from gateway_service.gateway.operation.catalogue_cache import catalogue_cache
from gateway_service.tests.backends import Backends
from gateway_service.tests.world import euros, text
from shared.kafka import broadcast
from shared.testing.kafka import put
from shared.testing.swallowing_proxy import SwallowingProxy, swallowing_proxy

pytestmark = pytest.mark.usefixtures("kafka_topics")

DEPARTURE = (
    "query($id: ID!) { node(id: $id) { ... on Departure { adultPrice { amount } seatsAvailable trip { title } } } }"
)
PLACE = "query($id: ID!) { node(id: $id) { ... on Destination { name photos { alt } } } }"


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[SwallowingProxy]:
    """A proxy between the gateway and the broker."""
    with swallowing_proxy() as proxy:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", proxy.address)
        yield proxy


@pytest.fixture
async def connected_feed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The feed of the test's event loop, connected."""
    monkeypatch.setattr(broadcast, "POLL_SECONDS", 0.1)
    catalogue_feed().start()
    await until(lambda: catalogue_feed().connected, 15)
    yield
    await stop_catalogue_feed()


async def until(condition: Callable[[], Any] | Callable[[], Awaitable[Any]], seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        assert time.monotonic() < end, f"not within {seconds:g} s"
        await asyncio.sleep(0.02)


@pytest.fixture
def price(ask: Any) -> Callable[[str], Awaitable[str]]:
    """Return a function that returns the price of a departure, as a traveller sees it."""

    async def shown(departure_id: str) -> str:
        answer = await ask(DEPARTURE, id=to_global_id("Departure", departure_id))
        return str(int(float(answer["data"]["node"]["adultPrice"]["amount"])))

    return shown


async def event(topic: str, id: str, kind: str, **value: Any) -> None:
    """Put an event of destinations_service on its topic."""
    headers = [("ce_type", f"travel.destinations.{kind}.v1".encode()), ("ce_sequence", b"2")]
    await asyncio.to_thread(put, topic, key=id.encode(), value=json.dumps(value).encode(), headers=headers)


async def test_a_new_price_is_shown_as_soon_as_its_event_comes(
    connected_feed: None, price: Callable[[str], Awaitable[str]], backends: Backends
) -> None:
    """Until then the process's own row is shown, and the rows that did not change stay: nothing is asked.

    Seen failing (the old price) when `_handle` forgets nothing.
    """
    departure, other = backends.world.add_trip(1), backends.world.add_trip(2)
    assert [await price(row.id) for row in (departure, other)] == ["100", "100"]
    departure.adult_price.CopyFrom(euros(12_000))
    asked = backends.calls["BatchGetDepartures"]
    assert await price(departure.id) == "100"
    assert backends.calls["BatchGetDepartures"] == asked

    await event(DEPARTURES_TOPIC, departure.id, "departure.changed", departure={"trip_id": departure.trip_id})

    async def is_new() -> bool:
        return await price(departure.id) == "120"

    await until(is_new, 3)
    assert catalogue_cache().get(*_departure(other.id)) is not None
    assert catalogue_cache().get(cache_module.Kind.TRIP, other.trip_id) is not None


async def test_the_price_that_is_quoted_never_comes_from_the_cache(
    connected_feed: None, ask: Any, price: Callable[[str], Awaitable[str]], backends: Backends, token: str
) -> None:
    """The event of the new price is late: the old price is shown, and bookings_service answers the quote itself."""
    departure = backends.world.add_trip(1)
    assert await price(departure.id) == "100"
    departure.adult_price.CopyFrom(euros(12_000))

    quote = """mutation($d: ID!) { createQuote(departure: $d, adults: 1) {
        quote { total { amount } } } }"""
    answer = await ask(quote, token=token, d=to_global_id("Departure", departure.id))

    assert answer["data"]["createQuote"]["quote"]["total"]["amount"] == "120.00"
    assert await price(departure.id) == "100"


async def test_a_place_is_forgotten_with_its_photos(connected_feed: None, ask: Any, backends: Backends) -> None:
    """In both languages: one row holds both. Seen failing (the old photo) when the event forgets no photos."""
    backends.world.add_trip(1)
    place, other = backends.world.destinations.values()
    backends.world.add_photo(place.id, "Old", "Ancienne")

    async def shown(language: str) -> tuple[str, str]:
        answer = await ask(PLACE, id=to_global_id("Destination", place.id), headers={"Accept-Language": language})
        node = answer["data"]["node"]
        return node["name"], node["photos"][0]["alt"]

    assert [await shown(language) for language in ("en", "fr")] == [("Land", "Old"), ("Pays", "Ancienne")]
    assert backends.calls["BatchListPhotos"] == backends.calls["BatchGetDestinations"] == 1
    await ask(PLACE, id=to_global_id("Destination", other.id))

    place.name.CopyFrom(text("New land", "Nouveau pays"))
    backends.world.photos[place.id].clear()
    backends.world.add_photo(place.id, "New", "Nouvelle")
    await event(DESTINATIONS_TOPIC, place.id, "destination.changed", destination_id=place.id)

    async def is_new() -> bool:
        return await shown("en") == ("New land", "New")

    await until(is_new, 3)
    assert catalogue_cache().get(cache_module.Kind.PHOTOS, other.id) is not None
    assert await shown("fr") == ("Nouveau pays", "Nouvelle")


async def test_trips_and_exchange_rates_are_forgotten(connected_feed: None, ask: Any, backends: Backends) -> None:
    """A departure shows its trip's currency, so it goes with its trip. Seen failing (the row stays) when it does not."""
    departure = backends.world.add_trip(1)
    id = to_global_id("Departure", departure.id)
    await ask(
        f'{{ node(id: "{id}") {{ ... on Departure {{ trip {{ title }} convertedAdultPrice(currency: "USD") {{ amount }} }} }} }}'
    )
    cache, kind = catalogue_cache(), cache_module.Kind
    trip, rates = (kind.TRIP, departure.trip_id), (kind.RATES, "EUR")
    assert None not in [cache.get(*key) for key in (trip, rates, _departure(departure.id))]

    await event(DESTINATIONS_TOPIC, departure.trip_id, "trip.changed", trip_id=departure.trip_id)
    await until(lambda: cache.get(*trip) is None and cache.get(*_departure(departure.id)) is None, 3)
    assert cache.get(*rates) is not None
    await event(DESTINATIONS_TOPIC, departure.trip_id, "exchange_rates.changed", version=2)
    await until(lambda: cache.get(*rates) is None, 3)
    assert cache.get(kind.PLACE, "x") is None


async def test_free_seats_are_asked_for_every_time(connected_feed: None, ask: Any, backends: Backends) -> None:
    departure = backends.world.add_trip(1)

    async def seats() -> int:
        answer = await ask(DEPARTURE, id=to_global_id("Departure", departure.id))
        return int(answer["data"]["node"]["seatsAvailable"])

    assert await seats() == 7
    backends.world.seats[departure.id] = 6
    assert await seats() == 6


async def test_what_belongs_to_a_traveller_is_asked_for_every_time(
    connected_feed: None, ask: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    booking = backends.world.add_booking(traveller_id)
    query = "{ me { bookings(first: 1) { edges { node { reference departure { id } } } } } }"

    for number in (1, 2):
        await ask(query, token=token)
        assert backends.calls["BatchListBookings"] == number
    assert backends.calls["BatchGetDepartures"] == 1
    assert catalogue_cache().get(cache_module.Kind.DEPARTURE, booking.departure_id) is not None


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (None, b"{}", [("ce_type", b"travel.destinations.departure.changed.v1")]),
        (b"x", None, [("ce_type", b"travel.destinations.departure.changed.v1")]),
        (b"x", b"no json", [("ce_type", b"travel.destinations.departure.changed.v1")]),
        (b"\xff", b"{}", [("ce_type", b"travel.destinations.destination.changed.v1")]),
        (b"x", b"{}", [("ce_type", b"travel.destinations.somewhere.moved.v9")]),
        (b"x", b"{}", []),
    ],
)
async def test_an_unreadable_event_forgets_everything_and_stops_nothing(
    connected_feed: None,
    price: Callable[[str], Awaitable[str]],
    backends: Backends,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
) -> None:
    """Nobody knows what it changed. Seen failing (the rows stay) without `_forget_all`."""
    departure = backends.world.add_trip(1)
    assert await price(departure.id) == "100"
    departure.adult_price.CopyFrom(euros(12_000))

    await asyncio.to_thread(put, DEPARTURES_TOPIC, key=key, value=value, headers=headers)

    await until(lambda: catalogue_cache().size_bytes == 0, 3)
    assert await price(departure.id) == "120"
    departure.adult_price.CopyFrom(euros(13_000))
    await event(DEPARTURES_TOPIC, departure.id, "departure.changed", departure={"trip_id": departure.trip_id})
    await until(lambda: catalogue_cache().size_bytes == 0 or not catalogue_cache().get(*_departure(departure.id)), 3)
    assert await price(departure.id) == "130"
    assert catalogue_feed().connected


async def test_nothing_older_than_five_seconds_is_shown_while_the_broker_hangs(
    proxy: SwallowingProxy, connected_feed: None, price: Callable[[str], Awaitable[str]], backends: Backends
) -> None:
    """And the events of the outage are not missed after it.

    Seen failing (an old price) without the probe, and without `set_current`.
    """
    departure = backends.world.add_trip(1)
    assert await price(departure.id) == "100"

    async def shows(amount: str) -> bool:
        return await price(departure.id) == amount

    proxy.swallow()
    departure.adult_price.CopyFrom(euros(12_000))
    await until(lambda: shows("120"), 5)
    await until(lambda: not catalogue_feed().connected, 4)
    departure.adult_price.CopyFrom(euros(13_000))
    await until(lambda: shows("130"), 5.5)

    departure.adult_price.CopyFrom(euros(14_000))
    proxy.go_on()
    await until(lambda: catalogue_feed().connected, 15)
    assert await price(departure.id) == "140"
    asked = backends.calls["BatchGetDepartures"]
    assert await price(departure.id) == "140"
    assert backends.calls["BatchGetDepartures"] == asked


async def test_a_process_without_the_feed_keeps_rows_for_five_seconds(
    price: Callable[[str], Awaitable[str]], backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does a process that has just started."""
    monkeypatch.setattr(cache_module, "STALE_SECONDS", 0.3)
    departure = backends.world.add_trip(1)
    assert await price(departure.id) == "100"
    departure.adult_price.CopyFrom(euros(12_000))
    assert await price(departure.id) == "100"

    async def is_new() -> bool:
        return await price(departure.id) == "120"

    await until(is_new, 1)


async def test_with_no_memory_everything_is_asked_for_every_time(
    price: Callable[[str], Awaitable[str]], backends: Backends, settings: Any
) -> None:
    settings.CATALOGUE_CACHE_MB = 0
    departure = backends.world.add_trip(1)
    assert await price(departure.id) == "100"
    departure.adult_price.CopyFrom(euros(12_000))
    assert await price(departure.id) == "120"


def _departure(id: str) -> tuple[cache_module.Kind, str]:
    return cache_module.Kind.DEPARTURE, id
