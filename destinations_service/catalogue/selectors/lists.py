"""The lists of the catalogue that are read per parent: children, trips and departures."""

from collections.abc import Collection
from datetime import date
from typing import Final
from uuid import UUID

from destinations_service.catalogue.contracts import DepartureView, DestinationView, Listed, TripView
from destinations_service.catalogue.domain import check_dates
from destinations_service.catalogue.selectors.departure_filters import date_range
from destinations_service.catalogue.selectors.pages import PagedList
from destinations_service.catalogue.selectors.rows import DEPARTURES, PLACES, TRIPS
from shared.pages import ID, Key, instant, whole

_CHILDREN: Final = (
    "SELECT d.id, coalesce(d.population, 0) AS people FROM catalogue_destination AS d WHERE d.parent_id = parent.id"
)
_OF_KIND: Final = " AND d.kind = %(kind)s"
_TRIPS: Final = (
    "SELECT t.id, t.popularity FROM catalogue_trip AS t JOIN catalogue_destination AS d ON d.id = t.destination_id"
    " WHERE (d.id = parent.id OR d.ancestors @> ARRAY[parent.id])"
)
_OPEN_IN_DATES: Final = (
    " AND EXISTS (SELECT FROM catalogue_departure AS x WHERE x.trip_id = t.id AND x.status = 'OPEN'"
    " AND x.starts_at >= %(from)s AND x.starts_at < %(until)s)"
)
_DEPARTURES: Final = (
    "SELECT d.id, d.starts_at FROM catalogue_departure AS d WHERE d.trip_id = parent.id"
    " AND d.starts_at >= %(from)s AND d.starts_at < %(until)s"
)
_AVAILABLE: Final = " AND d.status = 'OPEN' AND coalesce(d.seats_left, d.capacity) > 0"


def children_of(
    *, parent_ids: Collection[UUID], kind: str, first: int, after: str
) -> dict[UUID, Listed[DestinationView]]:
    """Return a page of children per parent, most populous first."""
    keys = (Key("people", whole, descending=True), ID)
    children = PagedList(PLACES, _CHILDREN + (_OF_KIND if kind else ""), keys, "children")
    return children.pages(parent_ids, first=first, after=after, kind=kind)


def trips_of(
    *,
    destination_ids: Collection[UUID],
    departs_after: date | None,
    departs_before: date | None,
    first: int,
    after: str,
) -> dict[UUID, Listed[TripView]]:
    """Return a page of trips per destination, most popular first. Trips of places below the destination are included.

    With dates, only trips that have an open departure between them. Raises Invalid if the dates are the wrong way
    round.
    """
    check_dates(after=departs_after, before=departs_before)
    has_dates = departs_after is not None or departs_before is not None
    keys = (Key("popularity", whole, descending=True), ID)
    trips = PagedList(TRIPS, _TRIPS + (_OPEN_IN_DATES if has_dates else ""), keys, "trips")
    return trips.pages(destination_ids, first=first, after=after, **date_range(departs_after, departs_before))


def departures_of(
    *,
    trip_ids: Collection[UUID],
    departs_after: date | None,
    departs_before: date | None,
    only_available: bool,
    first: int,
    after: str,
) -> dict[UUID, Listed[DepartureView]]:
    """Return a page of departures to come per trip, soonest first. `only_available` reads the copy of the free seats.

    The pages have no total. Raises Invalid if the dates are the wrong way round.
    """
    check_dates(after=departs_after, before=departs_before)
    keys = (Key("starts_at", instant), ID)
    matching = _DEPARTURES + (_AVAILABLE if only_available else "")
    departures = PagedList(DEPARTURES, matching, keys, "departures", is_counted=False)
    return departures.pages(trip_ids, first=first, after=after, **date_range(departs_after, departs_before))
