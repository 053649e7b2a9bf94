"""Trips and departures by id and slug."""

# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from destinations_service.catalogue.contracts import DepartureView, DestinationView, TripView
from destinations_service.catalogue.selectors.departure_filters import date_range
from destinations_service.catalogue.selectors.rows import DEPARTURES, PLACES, TRIPS, by_slug
from shared.errors import NotFound
from shared.statement import Statement


def trips_by_key(
    *,
    ids: Collection[UUID] = (),
    slugs: Collection[str] = (),
    departs_after: date | None = None,
    departs_before: date | None = None,
) -> list[TripView]:
    """Return the trips that exist, in the order of `ids` and then of `slugs`. An earlier slug finds its row too.

    With dates, `from_price` is the lowest price between them.
    """
    dates = date_range(departs_after, departs_before)
    if not slugs:
        found = {trip.id: trip for trip in _TRIPS.all(ids=list(ids), **dates)}
        return [found[key] for key in ids if key in found]
    by_key: dict[UUID | str, TripView] = {}
    for trip, earlier in _TRIPS_BY_SLUG.all(ids=list(ids), slugs=list(slugs), **dates):
        by_key.update(dict.fromkeys([trip.id, trip.slug, *earlier], trip))
    keys: list[UUID | str] = [*ids, *slugs]
    return [by_key[key] for key in keys if key in by_key]


def trip_version(*, slug: str) -> int | None:
    """Return the version of a trip, None if no trip has the slug now. Read it before the trip itself."""
    return _VERSION.first(slug=slug)


def departures_by_id(*, ids: Collection[UUID]) -> list[DepartureView]:
    """Return the departures that exist, in the order of `ids`."""
    departures = {departure.id: departure for departure in _DEPARTURES.all(ids=list(ids), now=datetime.now(UTC))}
    return [departures[key] for key in ids if key in departures]


def departure_for_quote(*, departure_id: UUID) -> tuple[DepartureView, TripView, DestinationView]:
    """Return a departure, its trip and its destination: what a quote is made from. Raises NotFound."""
    quoted = _QUOTED.first(id=departure_id, **date_range())
    if quoted is None:
        raise NotFound
    return quoted


def _quoted(*columns: Any) -> tuple[DepartureView, TripView, DestinationView]:
    departure, trip, place = columns[:_TRIP_AT], columns[_TRIP_AT:_PLACE_AT], columns[_PLACE_AT:]
    return DEPARTURES.view(*departure), TRIPS.view(*trip), PLACES.view(*place)


def _with_earlier_slugs(*columns: Any) -> tuple[TripView, list[str]]:
    return TRIPS.view(*columns[:-1]), columns[-1]


_TRIP_AT: Final = DEPARTURES.width
_PLACE_AT: Final = _TRIP_AT + TRIPS.width
_TRIPS: Final = Statement(TRIPS.view, TRIPS.where("trip.id = ANY(%(ids)s)"))
_TRIPS_BY_SLUG: Final = Statement(_with_earlier_slugs, by_slug(TRIPS, owner="trip"))
_VERSION: Final = Statement(int, "SELECT version FROM catalogue_trip WHERE slug = %(slug)s")
_DEPARTURES: Final = Statement(DEPARTURES.view, DEPARTURES.where("departure.id = ANY(%(ids)s)"))
_QUOTED: Final = Statement(
    _quoted,
    f"""
    SELECT {DEPARTURES.columns}, {TRIPS.columns}, {PLACES.columns}
    FROM catalogue_departure AS departure {DEPARTURES.joins}
    {TRIPS.joined("trip.id = departure.trip_id")}
    {PLACES.joined("place.id = trip.destination_id")}
    WHERE departure.id = %(id)s
    """,
)
