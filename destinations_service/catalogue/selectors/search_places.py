"""The search for destinations. Its filters and its order are parts of one statement."""

# ruff: noqa: S608 — the statement is put together from constants of this module. Every value is a parameter.

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from destinations_service.catalogue.contracts import DestinationQuery, DestinationView, Listed
from destinations_service.catalogue.domain import MOST_TAGS, Near, check_near
from destinations_service.catalogue.selectors.matching import Words, check_text, found_sql, understood
from destinations_service.catalogue.selectors.pages import PagedList
from destinations_service.catalogue.selectors.places import euros
from destinations_service.catalogue.selectors.rows import PLACES
from shared.errors import Invalid
from shared.pages import ID, Key, number, whole

Filter = tuple[str, dict[str, Any]]  # a condition, and the values of its parameters

_POPULAR: Final = (Key("popularity", whole, descending=True), Key("people", whole, descending=True), ID)
# The great-circle distance from a point, in metres. The cosine is kept within what acos accepts.
_METRES: Final = """round((6371008.8 * acos(least(greatest(
    sin(radians(d.latitude)) * %(sine)s + cos(radians(d.latitude)) * %(cosine)s
    * cos(radians(d.longitude) - %(east)s), -1.0), 1.0)))::numeric)::integer"""
_COLUMNS: Final = {
    "id": "d.id",
    "popularity": "d.popularity",
    "people": "coalesce(d.population, 0) AS people",
    "daily_cost_eur": "d.daily_cost_eur",
    "quality": "found.quality",
    "kind_order": "found.kind_order",
    "metres": f"{_METRES} AS metres",
    "sort_name": """coalesce((SELECT t.name FROM catalogue_destinationtranslation AS t
        WHERE t.destination_id = d.id AND t.language = %(language)s), d.slug) AS sort_name""",
}


def _nearby(*columns: Any) -> DestinationView:
    *place, metres = columns
    return replace(PLACES.view(*place), distance_km=metres / 1000)


_NEARBY: Final = replace(PLACES, columns=f"{PLACES.columns}, found.metres", view=_nearby)


def search_destinations(*, query: DestinationQuery, first: int, after: str) -> Listed[DestinationView]:
    """Return a page of destinations. Raises Invalid naming the malformed field."""
    words = understood(check_text(query.search, field="search")) if query.search else None
    filters = list(_filters(query, words))
    order = query.order or ("RELEVANCE" if query.search else "POPULARITY")
    keys = _keys(order, query, words)
    columns = [key.name for key in keys]
    if query.near and "metres" not in columns:
        columns.append("metres")
    if order == "DAILY_COST":
        filters.append(("d.daily_cost_eur IS NOT NULL", {}))
    places = PagedList(
        rows=_NEARBY if query.near else PLACES,
        matching=f"{_found(words)} WHERE {' AND '.join(condition for condition, _ in filters) or 'true'}".format(
            columns=", ".join(_COLUMNS[name] for name in columns)
        ),
        keys=keys,
        kind=f"destinations.{order}",
        is_dear=bool(query.search or query.near),
    )
    parameters = {name: value for _, values in filters for name, value in values.items()}
    return places.page(first=first, after=after, language=query.language, **parameters)


def _keys(order: str, query: DestinationQuery, words: Words | None) -> tuple[Key, ...]:
    if order == "RELEVANCE" and words and words.typed:
        return Key("quality", whole), Key("kind_order", whole), *_POPULAR
    if order == "NAME":
        return Key("sort_name", str), ID
    if order == "DISTANCE":
        if not query.near:
            raise Invalid(field="near")
        return Key("metres", whole), ID
    if order == "DAILY_COST":
        return Key("daily_cost_eur", number), ID
    return _POPULAR


def _found(words: Words | None) -> str:
    """Return the SELECT of the destinations `d`, which match the words if there are any."""
    if words is None or not words.typed:
        return "SELECT {columns} FROM catalogue_destination AS d"
    return f"WITH {found_sql(words)} SELECT {{columns}} FROM found JOIN catalogue_destination AS d ON d.id = found.id"


def _filters(query: DestinationQuery, words: Words | None) -> Iterator[Filter]:
    if words is not None:  # a search of spaces has no words, and finds nothing
        yield ("true", words.parameters()) if words.typed else ("false", {})
    if query.kind:
        yield "d.kind = %(kind)s", {"kind": query.kind}
    if query.country_code:
        if not (len(query.country_code) == 2 and query.country_code.isalpha() and query.country_code.isascii()):
            raise Invalid(field="countryCode")
        yield "d.country_code = %(country)s", {"country": query.country_code.upper()}
    if query.parent_id:
        yield "d.parent_id = %(parent)s", {"parent": query.parent_id}
    if query.tags:
        if len(query.tags) > MOST_TAGS or any(not 0 < len(tag) <= 40 for tag in query.tags):
            raise Invalid(field="tags")
        yield "d.tags @> %(tags)s::varchar[]", {"tags": [tag.lower() for tag in query.tags]}
    if query.near:
        yield from _near(check_near(query.near))
    if query.max_daily_cost:
        yield "d.daily_cost_eur <= %(cost)s", {"cost": euros(query.max_daily_cost, field="maxDailyCost")}


def _near(near: Near) -> Iterator[Filter]:
    """Keep the places in the circle: by a box, which uses the index, then by great-circle distance in whole metres."""
    degrees = near.radius_km / 111.0
    yield "d.latitude BETWEEN %(south)s AND %(north)s", {
        "south": near.latitude - degrees, "north": near.latitude + degrees,
    }  # fmt: skip
    widest = math.cos(math.radians(min(89.9, abs(near.latitude) + degrees)))
    if degrees / widest < 180 - abs(near.longitude):
        yield "d.longitude BETWEEN %(west)s AND %(farthest_east)s", {
            "west": near.longitude - degrees / widest, "farthest_east": near.longitude + degrees / widest,
        }  # fmt: skip
    latitude = math.radians(near.latitude)
    yield f"{_METRES} <= %(radius)s", {
        "radius": int(near.radius_km * 1000),
        "sine": math.sin(latitude), "cosine": math.cos(latitude), "east": math.radians(near.longitude),
    }  # fmt: skip
