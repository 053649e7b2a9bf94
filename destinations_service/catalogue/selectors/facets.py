"""Facets: how many results of a search have each kind, country and tag; and the list of every tag."""

# ruff: noqa: S608 — the statement is put together from constants of this module.

from collections.abc import Iterator, Mapping
from typing import Any, Final

from destinations_service.catalogue.contracts import FacetValueView, FacetView
from destinations_service.catalogue.tags import tag_label
from shared.statement import Statement
from shared.text import Text

_MOST_VALUES: Final = 50
# Each facet leaves its own filter out. `f` is a row of `found`.
FACETS_SQL: Final = f"""jsonb_build_object(
    'kind', (SELECT jsonb_agg(jsonb_build_array(v.value, v.count) ORDER BY v.count DESC, v.value) FROM (
        SELECT f.kind AS value, count(*) AS count FROM found AS f WHERE {{country}} AND {{tags}} GROUP BY f.kind) AS v),
    'countryCode', (SELECT jsonb_agg(jsonb_build_array(v.value, v.count, v.en, v.fr) ORDER BY v.count DESC, v.value)
        FROM (SELECT counted.*, en.name AS en, fr.name AS fr FROM (
            SELECT f.country_code AS value, count(*) AS count FROM found AS f WHERE {{kinds}} AND {{tags}}
            GROUP BY f.country_code ORDER BY count(*) DESC, f.country_code LIMIT {_MOST_VALUES}) AS counted
        LEFT JOIN catalogue_destination AS c ON c.country_code = counted.value AND c.kind = 'COUNTRY'
        LEFT JOIN catalogue_destinationtranslation AS en ON en.destination_id = c.id AND en.language = 'EN'
        LEFT JOIN catalogue_destinationtranslation AS fr ON fr.destination_id = c.id AND fr.language = 'FR') AS v),
    'tag', (SELECT jsonb_agg(jsonb_build_array(v.value, v.count) ORDER BY v.count DESC, v.value) FROM (
        SELECT tag AS value, count(*) AS count FROM found AS f CROSS JOIN unnest(f.tags) AS tag
        WHERE {{kinds}} AND {{country}} GROUP BY tag ORDER BY count(*) DESC, tag LIMIT {_MOST_VALUES}) AS v)
)"""
_KINDS: Final = {
    "COUNTRY": Text(en="Countries", fr="Pays"),
    "CITY": Text(en="Cities", fr="Villes"),
    "POINT_OF_INTEREST": Text(en="Points of interest", fr="Lieux d’intérêt"),
    "TRIP": Text(en="Trips", fr="Voyages"),
}
_TAGS: Final = Statement(
    lambda tag, count: (tag, count),
    "SELECT lower(tag), count(*) FROM catalogue_destination CROSS JOIN unnest(tags) AS tag"
    " GROUP BY lower(tag) ORDER BY count(*) DESC, lower(tag)",
)


def facet_views(counts: Mapping[str, list[Any] | None]) -> tuple[FacetView, ...]:
    """Return the facets from the JSON that FACETS_SQL makes. A facet without values is empty."""
    return (
        FacetView("kind", tuple(FacetValueView(kind, _KINDS[kind], count) for kind, count in counts["kind"] or ())),
        FacetView("countryCode", tuple(_countries(counts["countryCode"] or ()))),
        FacetView("tag", tuple(FacetValueView(tag, tag_label(tag), count) for tag, count in counts["tag"] or ())),
    )


def tags() -> list[FacetValueView]:
    """Return every tag of the catalogue with the number of its places, most places first."""
    return [FacetValueView(tag, tag_label(tag), count) for tag, count in _TAGS.all()]


def _countries(rows: Any) -> Iterator[FacetValueView]:
    for code, count, english, french in rows:
        yield FacetValueView(code, Text(en=english or code, fr=french or english or code), count)
