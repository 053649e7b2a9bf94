"""Trips and departures by id and slug."""

# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from destinations_service.catalogue.contracts import DepartureView, DestinationView, TripView
from destinations_service.catalogue.selectors.departure_filters import date_range
from destinations_service.catalogue.selectors.rows import DEPARTURES, PLACES, TRIPS
from shared.errors import NotFound
from shared.statement import Statement


def trips_by_key(
    *,
    ids: Collection[UUID] = (),
    slugs: Collection[str] = (),
    departs_after: date | None = None,
    departs_before: date | None = None,
) -> list[TripView]:
    """Return the trips that exist, in the order of `ids` and then of `slugs`.

    With dates, `from_price` is the lowest price between them.
    """
    trips = _TRIPS.all(ids=list(ids), slugs=list(slugs), **date_range(departs_after, departs_before))
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
    quoted = _QUOTED.first(id=departure_id, **date_range())
    if quoted is None:
        raise NotFound
    return quoted


def _quoted(*columns: Any) -> tuple[DepartureView, TripView, DestinationView]:
    departure, trip, place = columns[:_TRIP_AT], columns[_TRIP_AT:_PLACE_AT], columns[_PLACE_AT:]
    return DEPARTURES.view(*departure), TRIPS.view(*trip), PLACES.view(*place)


_TRIP_AT: Final = DEPARTURES.width
_PLACE_AT: Final = _TRIP_AT + TRIPS.width
_TRIPS: Final = Statement(TRIPS.view, TRIPS.where("trip.id = ANY(%(ids)s) OR trip.slug = ANY(%(slugs)s)"))
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
