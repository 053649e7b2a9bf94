"""Pages per parent. One LATERAL query finds the ids of every page, and one more query reads their rows."""

# ruff: noqa: S608 — the statements are put together from constants of this module. Every value is a parameter.

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Count

from destinations_service.catalogue.contracts import DepartureView, DestinationView, Listed, TripView
from destinations_service.catalogue.domain import check_dates
from destinations_service.catalogue.models import Departure, Destination
from destinations_service.catalogue.selectors.places import destination_view, destinations
from destinations_service.catalogue.selectors.trips import departure_view, trip_view, trips
from shared.pages import ID, Key, decode, encode, instant, whole

V = TypeVar("V")

_CHILD_KEYS = (Key("people", whole, descending=True), ID)
_TRIP_KEYS = (Key("popularity", whole, descending=True), ID)
_DEPARTURE_KEYS = (Key("starts_at", instant), ID)


def children_of(
    *, parent_ids: Collection[UUID], kind: str, first: int, after: str
) -> dict[UUID, Listed[DestinationView]]:
    """Return a page of children per parent, most populous first."""
    parameters: dict[str, Any] = {"parents": list(parent_ids), "limit": first + 1, "kind": kind}
    after_cursor = ""
    if after:
        parameters["people"], parameters["id"] = decode(after, keys=_CHILD_KEYS, kind="children")
        after_cursor = "AND (-coalesce(d.population, 0), d.id) > (-%(people)s, %(id)s)"
    ids_by_parent = _lateral(
        "SELECT d.id FROM catalogue_destination d WHERE d.parent_id = p.id AND (%(kind)s = '' OR d.kind = %(kind)s) "
        f"{after_cursor} ORDER BY coalesce(d.population, 0) DESC, d.id LIMIT %(limit)s",
        parameters,
    )
    counts = Destination.objects.filter(parent_id__in=parent_ids, **({"kind": kind} if kind else {}))
    return _pages(
        parent_ids,
        ids_by_parent,
        first=first,
        after=after,
        totals=dict(counts.values_list("parent_id").annotate(Count("id"))),
        kind="children",
        rows={row.id: row for row in destinations().filter(id__in=_all_ids(ids_by_parent))},
        to_view=destination_view,
        key_values=lambda row: [row.population or 0, row.id],
    )


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
    parameters: dict[str, Any] = {
        "parents": list(destination_ids),
        "limit": first + 1,
        **_range(departs_after, departs_before),
    }
    after_cursor = ""
    if after:
        parameters["popularity"], parameters["id"] = decode(after, keys=_TRIP_KEYS, kind="trips")
        after_cursor = "AND (-t.popularity, t.id) > (-%(popularity)s, %(id)s)"
    between_dates = (
        "AND EXISTS (SELECT FROM catalogue_departure x WHERE x.trip_id = t.id AND x.status = 'OPEN'"
        " AND x.starts_at >= %(from)s AND x.starts_at < %(until)s)"
        if departs_after or departs_before
        else ""
    )
    matching = (
        "FROM catalogue_trip t JOIN catalogue_destination d ON d.id = t.destination_id"
        f" WHERE (d.id = p.id OR d.ancestors @> ARRAY[p.id]) {between_dates}"
    )
    ids_by_destination = _lateral(
        f"SELECT t.id {matching} {after_cursor} ORDER BY t.popularity DESC, t.id LIMIT %(limit)s", parameters
    )
    counts = _lateral(f"SELECT count(*) AS id {matching}", parameters)
    return _pages(
        destination_ids,
        ids_by_destination,
        first=first,
        after=after,
        totals={destination_id: counted[0] for destination_id, counted in counts.items()},
        kind="trips",
        rows={row.id: row for row in trips().filter(id__in=_all_ids(ids_by_destination))},
        to_view=trip_view,
        key_values=lambda row: [row.popularity, row.id],
    )


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

    Raises Invalid if the dates are the wrong way round.
    """
    check_dates(after=departs_after, before=departs_before)
    parameters: dict[str, Any] = {
        "parents": list(trip_ids),
        "limit": first + 1,
        **_range(departs_after, departs_before),
    }
    after_cursor = ""
    if after:
        parameters["starts_at"], parameters["id"] = decode(after, keys=_DEPARTURE_KEYS, kind="departures")
        after_cursor = "AND (d.starts_at, d.id) > (%(starts_at)s, %(id)s)"
    available = "AND d.status = 'OPEN' AND coalesce(d.seats_left, d.capacity) > 0" if only_available else ""
    ids_by_trip = _lateral(
        "SELECT d.id FROM catalogue_departure d WHERE d.trip_id = p.id AND d.starts_at >= %(from)s"
        f" AND d.starts_at < %(until)s {available} {after_cursor} ORDER BY d.starts_at, d.id LIMIT %(limit)s",
        parameters,
    )
    rows = Departure.objects.filter(id__in=_all_ids(ids_by_trip)).select_related("trip")
    return _pages(
        trip_ids,
        ids_by_trip,
        first=first,
        after=after,
        totals={},
        kind="departures",
        rows={row.id: row for row in rows},
        to_view=departure_view,
        key_values=lambda row: [row.starts_at, row.id],
    )


def _range(after: date | None, before: date | None) -> dict[str, datetime]:
    now = datetime.now(UTC)
    until = datetime.combine(before, time(), UTC) + timedelta(days=1) if before else datetime(9000, 1, 1, tzinfo=UTC)
    return {"from": max(now, datetime.combine(after, time(), UTC)) if after else now, "until": until}


def _lateral(query: str, parameters: dict[str, Any]) -> dict[UUID, list[Any]]:
    """Run `query` for each parent (`p.id`) in one statement.

    Return what its column `id` yields per parent, in its order.
    """
    statement = (
        "SELECT p.id, found.id FROM unnest(%(parents)s::uuid[]) WITH ORDINALITY AS p(id, place)"
        f" CROSS JOIN LATERAL ({query}) AS found"
    )
    result: dict[UUID, list[Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for parent, value in cursor.fetchall():
            result.setdefault(parent, []).append(value)
    return result


def _pages(
    parents: Collection[UUID],
    ids_by_parent: dict[UUID, list[UUID]],
    *,
    first: int,
    after: str,
    totals: dict[UUID, int],
    kind: str,
    rows: dict[UUID, Any],
    to_view: Callable[[Any], V],
    key_values: Callable[[Any], Sequence[Any]],
) -> dict[UUID, Listed[V]]:
    pages = {}
    for parent in parents:
        ids = ids_by_parent.get(parent, [])
        shown = [rows[row_id] for row_id in ids[:first]]
        pages[parent] = Listed(
            views=[to_view(row) for row in shown],
            cursors=[encode(key_values(row), kind=kind) for row in shown],
            has_next=len(ids) > first,
            has_previous=bool(after),
            total=totals.get(parent, 0),
        )
    return pages


def _all_ids(ids_by_parent: dict[UUID, list[UUID]]) -> list[UUID]:
    return [row_id for ids in ids_by_parent.values() for row_id in ids]
