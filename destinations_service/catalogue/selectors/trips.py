"""Trips and departures by id and slug."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from destinations_service.catalogue.contracts import DepartureView, DestinationView, TripView
from destinations_service.catalogue.selectors.places import destinations_by_key
from destinations_service.catalogue.selectors.rows import DEPARTURES, TRIPS
from shared.errors import NotFound
from shared.statement import Statement

_TRIPS: Final = Statement(TRIPS.view, TRIPS.where("trip.id = ANY(%(ids)s) OR trip.slug = ANY(%(slugs)s)"))
_DEPARTURES: Final = Statement(DEPARTURES.view, DEPARTURES.where("departure.id = ANY(%(ids)s)"))


def trips_by_key(*, ids: Collection[UUID] = (), slugs: Collection[str] = ()) -> list[TripView]:
    """Return the trips that exist, in the order of `ids` and then of `slugs`."""
    trips = _TRIPS.all(ids=list(ids), slugs=list(slugs), now=datetime.now(UTC))
    by_key: dict[UUID | str, TripView] = {trip.id: trip for trip in trips}
    by_key.update({trip.slug: trip for trip in trips})
    keys: list[UUID | str] = [*ids, *slugs]
    return [by_key[key] for key in keys if key in by_key]


def departures_by_id(*, ids: Collection[UUID]) -> list[DepartureView]:
    """Return the departures that exist, in the order of `ids`."""
    departures = {departure.id: departure for departure in _DEPARTURES.all(ids=list(ids), now=datetime.now(UTC))}
    return [departures[key] for key in ids if key in departures]


def departure_for_quote(*, departure_id: UUID) -> tuple[DepartureView, TripView, DestinationView]:
    """Return a departure, its trip and its destination: what a quote is made from. Raises NotFound."""
    departures = departures_by_id(ids=[departure_id])
    if not departures:
        raise NotFound
    trip = trips_by_key(ids=[departures[0].trip_id])[0]
    return departures[0], trip, destinations_by_key(ids=[trip.destination_id])[0]
