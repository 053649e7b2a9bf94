"""Why a row is wrong: conditions over the staging table, each with the column and the reason that the report names."""

# ruff: noqa: S608 — the statements are put together from constants of this module.

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = r"'^[+-]?[0-9]{1,3}(\.[0-9]{0,20})?$'"
_CONTROL: Final = "'[[:cntrl:]]'"


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that is true for a wrong row `r`. Reasons are SQL expressions or quoted texts."""

    column: str
    condition: str
    reason: str


def _outside(column: str, limit: int) -> Check:
    return Check(
        column,
        f"CASE WHEN r.{column} IS NULL THEN false WHEN r.{column} ~ {_NUMBER}"
        f" THEN r.{column}::float8 NOT BETWEEN -{limit} AND {limit} ELSE true END",
        f"it is not a number from -{limit} to {limit}",
    )


_IS_COUNTRY: Final = "r.kind = 'COUNTRY'"
CHECKS: Final = (
    Check("source_id", "r.source_id IS NULL", "it is missing"),
    Check("source_id", "length(r.source_id) > 64", "it has more than 64 letters"),
    Check("kind", "r.kind NOT IN ('COUNTRY', 'CITY', 'POINT_OF_INTEREST')",
          "it is not COUNTRY, CITY or POINT_OF_INTEREST"),
    Check("country", "r.country IS NULL", "it is missing"),
    Check("country", f"NOT {_IS_COUNTRY} AND r.country IS NOT NULL"
          " AND NOT EXISTS (SELECT FROM import_country c WHERE c.code = r.country)"
          " AND NOT EXISTS (SELECT FROM import_raw c WHERE c.kind = 'COUNTRY' AND c.country = r.country)",
          "the catalogue has no country with this code"),
    Check("country", f"{_IS_COUNTRY} AND r.country <> ALL(%(codes)s)", "it is not a code of ISO 3166-1 alpha-2"),
    Check("name", "r.name IS NULL", "it is missing"),
    Check("name", "length(r.name) > 150", "it has more than 150 letters"),
    Check("name", f"(r.name || coalesce(r.names, '') || coalesce(r.translations, '')) ~ {_CONTROL}"
          f" AND replace(r.name || coalesce(r.names, '') || coalesce(r.translations, ''), E'\\x1f', '') ~ {_CONTROL}",
          "it has a control character"),
    Check("name", "EXISTS (SELECT FROM unnest(string_to_array(r.translations, E'\\x1f')) AS part"
          " WHERE length(part) > 153)", "it has more than 150 letters"),
    Check("names", "length(r.names) > 200 AND EXISTS (SELECT FROM unnest(string_to_array(r.names, E'\\x1f')) AS part"
          " WHERE length(part) > 204)", "a name has more than 200 letters"),
    _outside("latitude", 90),
    _outside("longitude", 180),
    Check("latitude", "r.latitude IS NULL AND r.longitude IS NOT NULL", "it is missing, and the longitude is given"),
    Check("longitude", "r.longitude IS NULL AND r.latitude IS NOT NULL", "it is missing, and the latitude is given"),
    Check("time_zone", "r.time_zone IS NOT NULL AND NOT EXISTS (SELECT FROM import_zone z WHERE z.name = r.time_zone)",
          "it is not an IANA time zone, such as Europe/Paris"),
    Check("population", "r.population !~ '^[0-9]{1,11}$'", "it is not a whole number of at most 11 digits"),
    Check("currency", "r.currency IS NOT NULL AND NOT EXISTS (SELECT FROM import_currency c WHERE c.code = r.currency)",
          "it is not a currency of ISO 4217, such as EUR"),
    Check("currency", f"{_IS_COUNTRY} AND r.currency IS NULL", "a country needs a currency"),
    Check("tags", "EXISTS (SELECT FROM unnest(string_to_array(r.tags, E'\\x1f')) AS tag WHERE length(tag) > 40)",
          "a tag has more than 40 letters"),
    Check("parent", f"{_IS_COUNTRY} AND r.parent IS NOT NULL", "a country has no parent"),
    Check("parent", "r.kind = 'POINT_OF_INTEREST' AND r.parent IS NULL", "a point of interest needs a city or country"),
)  # fmt: skip
_DUPLICATES: Final = """
INSERT INTO import_problem (line, source_id, "column", value, reason)
SELECT line, source_id, 'source_id', source_id, 'line ' || first || ' has the same id' FROM (
    SELECT line, source_id, min(line) OVER (PARTITION BY source_id) AS first FROM import_raw
    WHERE source_id IS NOT NULL AND problem IS NULL AND source_id IN (
        SELECT source_id FROM import_raw WHERE problem IS NULL GROUP BY source_id HAVING count(*) > 1)
) AS same WHERE line > first
"""
_TWO_COUNTRIES: Final = """
INSERT INTO import_problem (line, source_id, "column", value, reason)
SELECT line, source_id, 'country', country, 'line ' || first || ' is the same country' FROM (
    SELECT line, source_id, country, min(line) OVER (PARTITION BY country) AS first FROM import_raw
    WHERE kind = 'COUNTRY' AND problem IS NULL
) AS same WHERE line > first
"""


def of_values() -> Iterator[str]:
    """Yield the statements that note the wrong rows of the staging table."""
    yield """INSERT INTO import_problem (line, source_id, "column", value, reason)
        SELECT line, source_id, problem_column, '', problem FROM import_raw WHERE problem IS NOT NULL"""
    is_wrong = " OR ".join(f"({check.condition})" for check in CHECKS)
    each = ", ".join(f"(({check.condition}), '{check.column}', r.{check.column}, '{check.reason}')" for check in CHECKS)
    yield f"""INSERT INTO import_problem (line, source_id, "column", value, reason)
        SELECT r.line, r.source_id, wrong.name, left(wrong.value, 100), wrong.reason
        FROM import_raw AS r CROSS JOIN LATERAL (VALUES {each}) AS wrong (is_wrong, name, value, reason)
        WHERE r.problem IS NULL AND ({is_wrong}) AND wrong.is_wrong"""
    yield _DUPLICATES
    yield _TWO_COUNTRIES


# After the parents were looked up: `p.parent_line` is a row of the file, `p.parent_place` a place of the catalogue.
UNKNOWN_PARENT: Final = """
SELECT p.line, p.source_id, 'parent', p.parent,
       CASE WHEN EXISTS (SELECT FROM import_problem w WHERE w.source_id = p.parent) THEN 'its parent was rejected'
            ELSE 'it is neither an id of this source nor a slug of the catalogue' END
FROM import_place AS p WHERE p.parent IS NOT NULL AND p.parent_line IS NULL AND p.parent_place IS NULL
"""
# A longer cycle is found by WRONG_PARENT: a valid chain of parents has two steps.
CYCLE: Final = """
WITH RECURSIVE above (start, line, steps) AS (
    SELECT line, parent_line, 1 FROM import_place WHERE parent_line IS NOT NULL
    UNION
    SELECT above.start, p.parent_line, above.steps + 1 FROM above JOIN import_place AS p ON p.line = above.line
    WHERE p.parent_line IS NOT NULL AND above.line <> above.start AND above.steps < 10
)
SELECT DISTINCT p.line, p.source_id, 'parent', p.parent, 'the place is its own ancestor: a cycle'
FROM above JOIN import_place AS p ON p.line = above.start WHERE above.line = above.start
"""
WRONG_PARENT: Final = """
SELECT p.line, p.source_id, 'parent', p.parent,
       CASE WHEN p.country <> coalesce(q.country, d.country_code) THEN 'it is in another country'
            ELSE 'the parent of a city is a country, and that of a point of interest a city or country' END
FROM import_place AS p
LEFT JOIN import_place AS q ON q.line = p.parent_line
LEFT JOIN catalogue_destination AS d ON d.id = p.parent_place
WHERE p.parent IS NOT NULL AND (p.country <> coalesce(q.country, d.country_code)
    OR (p.kind = 'CITY' AND coalesce(q.kind, d.kind) <> 'COUNTRY')
    OR (p.kind = 'POINT_OF_INTEREST' AND coalesce(q.kind, d.kind) = 'POINT_OF_INTEREST'))
"""
