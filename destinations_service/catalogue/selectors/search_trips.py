"""The search for trips. Its filters and its order are parts of one statement."""

# ruff: noqa: S608 — the statement is put together from constants of this module. Every value is a parameter.

from typing import Final

from destinations_service.catalogue.contracts import Listed, TripQuery, TripView
from destinations_service.catalogue.domain import check_dates
from destinations_service.catalogue.selectors.departure_filters import RATE, departure_conditions, has_departure_filter
from destinations_service.catalogue.selectors.pages import PagedList
from destinations_service.catalogue.selectors.rows import TRIPS
from shared.errors import Invalid
from shared.pages import ID, Key, instant, number, whole

_BELOW: Final = """t.destination_id IN (
    SELECT d.id FROM catalogue_destination AS d
    WHERE d.id = %(destination)s OR d.ancestors @> ARRAY[%(destination)s::uuid])"""
_NO_PRICE: Final = 10**9  # the last in the order: no departure to come, or no rate to compare its price
_KEYS: Final = {
    "PRICE": Key("price_eur", number),
    "DEPARTURE_DATE": Key("leaves", instant),
    "DURATION": Key("duration_days", whole),
    "POPULARITY": Key("popularity", whole, descending=True),
}


def search_trips(*, query: TripQuery, first: int, after: str) -> Listed[TripView]:
    """Return a page of trips. Raises Invalid naming the malformed field."""
    check_dates(after=query.departs_after, before=query.departs_before)
    if query.seats < 0:
        raise Invalid(field="seats")
    order = query.order or "POPULARITY"
    departures = list(departure_conditions(query))
    open_departures = "FROM catalogue_departure AS x WHERE x.trip_id = t.id AND " + " AND ".join(
        condition for condition, _ in departures
    )
    columns = {
        "price_eur": f"coalesce(round((SELECT min(x.adult_price) {open_departures}) / ({RATE}), 4), {_NO_PRICE})",
        "leaves": f"coalesce((SELECT min(x.starts_at) {open_departures}), '9000-01-01 00:00:00+00')",
        "duration_days": "t.duration_days",
        "popularity": "t.popularity",
    }
    conditions = []
    if query.destination_id:
        conditions.append(_BELOW)
    if has_departure_filter(query):
        conditions.append(f"EXISTS (SELECT {open_departures})")
    key = _KEYS[order]
    trips = PagedList(
        rows=TRIPS,
        matching=f"SELECT t.id, {columns[key.name]} AS {key.name} FROM catalogue_trip AS t"
        f" WHERE {' AND '.join(conditions) or 'true'}",
        keys=(key, ID),
        kind=f"trips.{order}",
        is_dear=bool(conditions) or order in ("PRICE", "DEPARTURE_DATE"),
    )
    parameters = {name: value for _, values in departures for name, value in values.items()}
    return trips.page(first=first, after=after, destination=query.destination_id, **parameters)
