"""Pages per parent: one LATERAL query finds the rows of every page, one more reads them."""

# ruff: noqa: S608 — statements are put together from constants of this module; every value is a parameter

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Model

from destinations_service.catalogue.contracts import Listed
from destinations_service.catalogue.domain import check_dates
from destinations_service.catalogue.models import Departure, Destination
from destinations_service.catalogue.selectors.places import destination_view, destinations
from destinations_service.catalogue.selectors.trips import departure_view, trip_view, trips
from shared.pages import ID, Key, decode, encode, instant

_CHILD_KEYS = (Key("people", int, descending=True), ID)
_TRIP_KEYS = (Key("popularity", int, descending=True), ID)
_DEPARTURE_KEYS = (Key("starts_at", instant), ID)


def children_of(*, parent_ids: Collection[UUID], kind: str, first: int, after: str) -> dict[UUID, Listed]:
    """Return a page of children per parent, most populous first."""
    parameters: dict[str, Any] = {"parents": list(parent_ids), "limit": first + 1, "kind": kind}
    beyond = ""
    if after:
        parameters["people"], parameters["id"] = decode(after, keys=_CHILD_KEYS, kind="children")
        beyond = "AND (-coalesce(d.population, 0), d.id) > (-%(people)s, %(id)s)"
    found = _lateral(
        "SELECT d.id FROM catalogue_destination d WHERE d.parent_id = p.id AND (%(kind)s = '' OR d.kind = %(kind)s) "
        f"{beyond} ORDER BY coalesce(d.population, 0) DESC, d.id LIMIT %(limit)s",
        parameters,
    )
    counts = Destination.objects.filter(parent_id__in=parent_ids, **({"kind": kind} if kind else {}))
    totals = dict(counts.values_list("parent_id").annotate(Count("id")))
    return _pages(
        parent_ids, found, first=first, after=after, totals=totals, kind="children",
        rows={row.id: row for row in destinations().filter(id__in=_all(found))},
        view=destination_view, place=lambda row: [row.population or 0, row.id],
    )  # fmt: skip


def trips_of(
    *,
    destination_ids: Collection[UUID],
    departs_after: date | None,
    departs_before: date | None,
    first: int,
    after: str,
) -> dict[UUID, Listed]:
    """Return a page of trips per destination, of all below it too, the most popular first."""
    check_dates(after=departs_after, before=departs_before)
    parameters: dict[str, Any] = {
        "parents": list(destination_ids),
        "limit": first + 1,
        **_range(departs_after, departs_before),
    }
    beyond = ""
    if after:
        parameters["popularity"], parameters["id"] = decode(after, keys=_TRIP_KEYS, kind="trips")
        beyond = "AND (-t.popularity, t.id) > (-%(popularity)s, %(id)s)"
    dated = departs_after or departs_before
    leaving = (
        "AND EXISTS (SELECT FROM catalogue_departure x WHERE x.trip_id = t.id AND x.status = 'OPEN'"
        " AND x.starts_at >= %(from)s AND x.starts_at < %(until)s)"
        if dated
        else ""
    )
    here = (
        "FROM catalogue_trip t JOIN catalogue_destination d ON d.id = t.destination_id"
        f" WHERE (d.id = p.id OR d.ancestors @> ARRAY[p.id]) {leaving}"
    )
    found = _lateral(
        f"SELECT t.id {here} {beyond} ORDER BY t.popularity DESC, t.id LIMIT %(limit)s",
        parameters,
    )
    totals = {parent: rows[0] for parent, rows in _lateral(f"SELECT count(*) AS id {here}", parameters).items()}
    return _pages(
        destination_ids, found, first=first, after=after, totals=totals, kind="trips",
        rows={row.id: row for row in trips().filter(id__in=_all(found))},
        view=trip_view, place=lambda row: [row.popularity, row.id],
    )  # fmt: skip


def departures_of(
    *, trip_ids: Collection[UUID], departs_after: date | None, departs_before: date | None, only_available: bool,
    first: int, after: str,
) -> dict[UUID, Listed]:  # fmt: skip
    """Return a page of departures to come per trip, soonest first; `only_available` goes by the copy of the seats left."""
    check_dates(after=departs_after, before=departs_before)
    parameters: dict[str, Any] = {
        "parents": list(trip_ids),
        "limit": first + 1,
        **_range(departs_after, departs_before),
    }
    beyond = ""
    if after:
        parameters["starts_at"], parameters["id"] = decode(after, keys=_DEPARTURE_KEYS, kind="departures")
        beyond = "AND (d.starts_at, d.id) > (%(starts_at)s, %(id)s)"
    available = "AND d.status = 'OPEN' AND coalesce(d.seats_left, d.capacity) > 0" if only_available else ""
    found = _lateral(
        "SELECT d.id FROM catalogue_departure d WHERE d.trip_id = p.id AND d.starts_at >= %(from)s"
        f" AND d.starts_at < %(until)s {available} {beyond} ORDER BY d.starts_at, d.id LIMIT %(limit)s",
        parameters,
    )
    return _pages(
        trip_ids, found, first=first, after=after, totals={}, kind="departures",
        rows={row.id: row for row in Departure.objects.filter(id__in=_all(found)).select_related("trip")},
        view=departure_view, place=lambda row: [row.starts_at, row.id],
    )  # fmt: skip


def _range(after: date | None, before: date | None) -> dict[str, datetime]:
    now = datetime.now(UTC)
    until = datetime.combine(before, time(), UTC) + timedelta(days=1) if before else datetime(9000, 1, 1, tzinfo=UTC)
    return {"from": max(now, datetime.combine(after, time(), UTC)) if after else now, "until": until}


def _lateral(inner: str, parameters: dict[str, Any]) -> dict[UUID, list[Any]]:
    """Run `inner` for each parent (`p.id`) in one statement; return the ids it found per parent, in its order."""
    statement = (
        "SELECT p.id, found.id FROM unnest(%(parents)s::uuid[]) WITH ORDINALITY AS p(id, place)"
        f" CROSS JOIN LATERAL ({inner}) AS found"
    )
    result: dict[UUID, list[Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for parent, child in cursor.fetchall():
            result.setdefault(parent, []).append(child)
    return result


def _pages(
    parents: Collection[UUID], found: dict[UUID, list[UUID]], *, first: int, after: str, totals: dict[UUID, int], kind: str,
    rows: dict[UUID, Model], view: Callable[[Any], Any], place: Callable[[Any], Sequence[Any]],
) -> dict[UUID, Listed]:  # fmt: skip
    pages = {}
    for parent in parents:
        ids = found.get(parent, [])
        shown = [rows[row_id] for row_id in ids[:first]]
        pages[parent] = Listed(
            views=[view(row) for row in shown],
            cursors=[encode(place(row), kind=kind) for row in shown],
            has_next=len(ids) > first,
            has_previous=bool(after),
            total=totals.get(parent, 0),
        )
    return pages


def _all(found: dict[UUID, list[UUID]]) -> list[UUID]:
    return [row_id for ids in found.values() for row_id in ids]
