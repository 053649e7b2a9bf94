"""The search for places and trips by words, with filters, facets and highlights; and suggestions while one types."""

# ruff: noqa: S608 — the statement is put together from constants of this module. Every value is a parameter.

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from destinations_service.catalogue.contracts import (
    DestinationView,
    SearchPage,
    SearchQuery,
    SearchResult,
    SuggestionView,
    TripView,
)
from destinations_service.catalogue.domain import MOST_TAGS, check_dates
from destinations_service.catalogue.selectors.departure_filters import departure_conditions, has_departure_filter
from destinations_service.catalogue.selectors.facets import FACETS_SQL, facet_views
from destinations_service.catalogue.selectors.highlights import BEGINS, best_name, fit, highlighted
from destinations_service.catalogue.selectors.matching import MOST_FOUND, Words, check_text, found_sql, understood
from destinations_service.catalogue.selectors.places import destinations_by_key
from destinations_service.catalogue.selectors.trips import trips_by_key
from shared.errors import Invalid
from shared.pages import ID, Key, after_sql, decode, encode, order_sql, whole
from shared.statement import Statement
from shared.text import Locale, Text

Node = DestinationView | TripView

MOST_SUGGESTIONS: Final = 10
FEW: Final = 20  # with fewer exact matches and beginnings, typing errors are looked for too
MOST_FILTERED: Final = 5_000  # entries that are read for each word if filters leave some out
MOST_SUGGESTED: Final = 300
CANDIDATES: Final = 50  # entries among which a suggestion is chosen by how its names begin
KINDS: Final = ("COUNTRY", "CITY", "POINT_OF_INTEREST", "TRIP")
KEYS: Final = (
    Key("quality", whole),
    Key("kind_order", whole),
    Key("popularity", whole, descending=True),
    Key("population", lambda text: whole(text, bits=64), descending=True),
    ID,
)
_CURSOR: Final = "search"
_IN_KINDS: Final = "(cardinality(%(kinds)s::text[]) = 0 OR f.kind = ANY(%(kinds)s))"
_IN_COUNTRY: Final = "(%(country)s = '' OR f.country_code = %(country)s)"
_IN_TAGS: Final = "f.tags @> %(tags)s::varchar[]"
# The trips with such a departure, and the places that they go to.
_BOOKABLE: Final = """e.id IN (
    SELECT place.id FROM catalogue_trip AS t JOIN catalogue_destination AS d ON d.id = t.destination_id
    CROSS JOIN LATERAL unnest(d.ancestors || d.id || t.id) AS place(id)
    WHERE EXISTS (SELECT FROM catalogue_departure AS x WHERE x.trip_id = t.id AND {conditions}))"""


class _Found(NamedTuple):
    id: UUID
    kind: str
    names: list[str]
    keys: Sequence[Any]


class _Row(NamedTuple):
    """A row of the page, or the row without an id of an empty page."""

    total: int
    facets: Mapping[str, list[Any]] | None
    id: UUID | None
    kind: str
    names: list[str]
    keys: tuple[Any, ...]


def search(*, query: SearchQuery, first: int, after: str) -> SearchPage:
    """Return a page of the places and trips that match, best first. A text without letters finds nothing.

    Raises Invalid naming the malformed field.
    """
    parameters = _parameters(query)
    place = decode(after, keys=KEYS, kind=_CURSOR) if after else None
    words = understood(query.text, corrected=False)
    if not words.typed:
        return SearchPage(results=[], has_next=False, has_previous=bool(after), total=0)
    if place:
        parameters |= {f"after_{key.name}": value for key, value in zip(KEYS, place, strict=True)}
    conditions, values = _departures(query)
    is_filtered = bool(query.kinds or query.country_code or query.tags or conditions)

    def read() -> list[_Row]:
        sql = _search_sql(
            words, conditions, limit=first + 1, is_first_page=not after, with_facets=query.with_facets,
            most=MOST_FILTERED if is_filtered else MOST_FOUND,
        )  # fmt: skip
        return Statement(_row, sql).all(**parameters, **values, **words.parameters())

    rows = read()
    if rows[0].total < FEW and words.may_have_errors:
        words = understood(query.text)
        rows = read() if any(words.corrections) else rows
    found = [_Found(row.id, row.kind, row.names, row.keys) for row in rows[:first] if row.id is not None]
    nodes = _nodes(found, query)
    return SearchPage(
        results=[_result(row, nodes[row.id], words, query.language) for row in found if row.id in nodes],
        has_next=len(rows) > first,
        has_previous=bool(after),
        total=rows[0].total,
        facets=facet_views(rows[0].facets) if rows[0].facets is not None else (),
    )


def suggest(*, text: str, first: int, language: str) -> list[SuggestionView]:
    """Return up to `first` names that complete `text`, best first. Typing errors count only if nothing else fits.

    A name that begins with the text is before one that has it inside, because the text is still being typed.

    Raises Invalid for a malformed text, and for a number outside 1 to 10.
    """
    check_text(text, field="text")
    if not 1 <= first <= MOST_SUGGESTIONS:
        raise Invalid(field="first")
    query = SearchQuery(text=text, language=language)
    words, found = understood(text, corrected=False), []
    if words.typed:
        found = _best(words, CANDIDATES)
    if words.typed and len(found) < first:
        words = understood(text)
        found = _best(words, CANDIDATES)
    found = sorted(found, key=lambda row: _beginning(words, row.names))[:first]
    nodes = _nodes(found, query)
    return [
        SuggestionView(best_name(words, row.names, shown=_name(nodes[row.id], language)), nodes[row.id])
        for row in found
        if row.id in nodes
    ]


def _beginning(words: Words, names: Sequence[str]) -> int:
    """Return 0 if a name begins with the text, 1 if only an abbreviation in capitals does, and else 2."""
    beginning = [name for name in names if fit(words, name) <= BEGINS]
    return 2 if not beginning else 1 if all(name.isupper() for name in beginning) else 0


def _best(words: Words, first: int) -> list[_Found]:
    sql = f"""
        WITH {found_sql(words, most=MOST_SUGGESTED)}
        SELECT page.id, page.kind, e.names
        FROM (SELECT * FROM found ORDER BY {order_sql(KEYS)} LIMIT {first:d}) AS page
        JOIN catalogue_searchentry AS e ON e.id = page.id
        ORDER BY {order_sql(KEYS, table="page.")}
    """
    return Statement(_suggested, sql).all(**words.parameters())


def _suggested(id: UUID, kind: str, names: list[str]) -> _Found:
    return _Found(id, kind, names, ())


def _parameters(query: SearchQuery) -> dict[str, Any]:
    """Return the parameters of the filters. Raises Invalid naming the malformed field."""
    if not query.text:
        raise Invalid(field="text")
    check_text(query.text, field="text")
    if any(kind not in KINDS for kind in query.kinds):
        raise Invalid(field="kinds")
    country = query.country_code.upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise Invalid(field="countryCode")
    if len(query.tags) > MOST_TAGS or any(not 0 < len(tag) <= 40 for tag in query.tags):
        raise Invalid(field="tags")
    return {"kinds": list(query.kinds), "country": country, "tags": [tag.lower() for tag in query.tags]}


def _departures(query: SearchQuery) -> tuple[list[str], dict[str, Any]]:
    """Return the condition of an entry `e` that the dates, seats and price make, and its parameters."""
    check_dates(after=query.departures.departs_after, before=query.departures.departs_before)
    if query.departures.seats < 0:
        raise Invalid(field="seats")
    if not has_departure_filter(query.departures):
        return [], {}
    filters = list(departure_conditions(query.departures))
    values = {name: value for _, part in filters for name, value in part.items()}
    return [_BOOKABLE.format(conditions=" AND ".join(condition for condition, _ in filters))], values


def _search_sql(
    words: Words, conditions: Sequence[str], *, limit: int, is_first_page: bool, with_facets: bool, most: int
) -> str:  # fmt: skip
    filters = f"{_IN_KINDS} AND {_IN_COUNTRY} AND {_IN_TAGS}"
    facets = FACETS_SQL.format(kinds=_IN_KINDS, country=_IN_COUNTRY, tags=_IN_TAGS) if with_facets else "NULL::jsonb"
    columns = ("id", "kind", *(key.name for key in KEYS[:-1]))
    return f"""
        WITH {found_sql(words, conditions=conditions, most=most)},
        filtered AS MATERIALIZED (
            SELECT {", ".join(f"f.{name}" for name in columns)} FROM found AS f WHERE {filters}
        )
        SELECT counted.total, {facets}, page.id, page.kind, e.names, {", ".join(f"page.{name}" for name in columns[2:])}
        FROM (SELECT count(*) AS total FROM filtered) AS counted
        LEFT JOIN (
            SELECT * FROM filtered WHERE {"true" if is_first_page else after_sql(KEYS)}
            ORDER BY {order_sql(KEYS)} LIMIT {limit:d}
        ) AS page ON true
        LEFT JOIN catalogue_searchentry AS e ON e.id = page.id
        ORDER BY {order_sql(KEYS, table="page.")}
    """


def _row(total: int, facets: Any, id: UUID | None, kind: str, names: list[str], *keys: Any) -> _Row:
    return _Row(total, facets, id, kind, names, (*keys, id))


def _nodes(found: Collection[_Found], query: SearchQuery) -> dict[UUID, Node]:
    """Return the places and trips that still exist, by id."""
    trips = [row.id for row in found if row.kind == "TRIP"]
    places = [row.id for row in found if row.kind != "TRIP"]
    nodes: dict[UUID, Node] = {}
    if places:
        nodes.update({view.id: view for view in destinations_by_key(ids=places)})
    if trips:
        departures = query.departures
        views = trips_by_key(
            ids=trips, departs_after=departures.departs_after, departs_before=departures.departs_before
        )
        nodes.update({view.id: view for view in views})
    return nodes


def _result(row: _Found, node: Node, words: Words, language: str) -> SearchResult:
    return SearchResult(
        node=node,
        cursor=encode(row.keys, kind=_CURSOR),
        highlights=highlighted(
            words,
            field="title" if isinstance(node, TripView) else "name",
            name=_name(node, language),
            other_names=row.names,
        ),
    )


def _name(node: Node, language: str) -> str:
    text: Text = node.title if isinstance(node, TripView) else node.name
    return text.in_(Locale(language))
