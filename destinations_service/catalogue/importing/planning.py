"""Decides what becomes of each row: a new place, a known one that changed, one to adopt, or nothing to do.

Everything is written to temporary tables. Only `merging` writes to the catalogue.
"""

# ruff: noqa: S608 — statements are put together from constants. Every value is a parameter.

from typing import Final

from destinations_service.catalogue.importing import checks, staging
from shared.ids import UUID7_SQL

# The values of a row by field, as they are compared and remembered. Positions are compared to about ten metres.
_VALUES: Final = """
jsonb_strip_nulls(jsonb_build_object(
    'kind', p.kind, 'country', p.country, 'position', CASE WHEN p.latitude IS NOT NULL THEN
    jsonb_build_array(round(p.latitude::numeric, 4), round(p.longitude::numeric, 4)) END, 'time_zone', p.time_zone,
    'population', p.population, 'tags', to_jsonb(p.tags), 'currency', p.currency, 'names', to_jsonb(p.names)
)) || p.translations
"""
_PLAN: Final = f"""
CREATE TEMP TABLE import_plan AS
SELECT p.*, CASE WHEN i.id IS NULL THEN 'new' WHEN i.destination_id IS NULL THEN 'deleted' ELSE 'changed' END AS action,
       coalesce(i.destination_id, {UUID7_SQL}) AS destination_id, i.values AS last, {_VALUES} AS values,
       CASE WHEN p.kind = 'CITY' THEN c.id END AS parent_id,
       CASE p.kind WHEN 'CITY' THEN ARRAY[c.id] WHEN 'COUNTRY' THEN '{{}}'::uuid[] END AS ancestors
FROM import_place AS p
LEFT JOIN catalogue_importedplace AS i ON i.source = %(source)s AND i.source_id = p.source_id
LEFT JOIN import_country AS c ON c.code = p.country
WHERE i.id IS NULL OR i.digest <> p.digest OR i.destination_id IS NULL
ORDER BY p.country, p.line
"""
_PARENTS: Final = (
    """UPDATE import_place AS p SET parent_line = q.line FROM import_place AS q
       WHERE p.parent IS NOT NULL AND q.source_id = p.parent""",
    """UPDATE import_place AS p SET parent_place = i.destination_id FROM catalogue_importedplace AS i
       WHERE p.parent IS NOT NULL AND p.parent_line IS NULL AND i.source = %(source)s AND i.source_id = p.parent""",
    """UPDATE import_place AS p SET parent_place = d.id FROM catalogue_destination AS d
       WHERE p.parent IS NOT NULL AND p.parent_line IS NULL AND p.parent_place IS NULL AND d.slug = p.parent""",
)
# The ids of parents that are rows of the file: known by now, whatever becomes of those rows.
_PARENT_IDS: Final = (
    """UPDATE import_plan AS p SET parent_id = q.destination_id, ancestors = ARRAY[q.destination_id]
       FROM import_plan AS q
       WHERE p.kind = 'CITY' AND p.parent_id IS NULL AND q.kind = 'COUNTRY' AND q.country = p.country""",
    """UPDATE import_plan AS p SET parent_id = coalesce(q.destination_id, i.destination_id, p.parent_place)
       FROM import_place AS f
       LEFT JOIN import_plan AS q ON q.line = f.parent_line
       LEFT JOIN import_place AS g ON g.line = f.parent_line
       LEFT JOIN catalogue_importedplace AS i ON i.source = %(source)s AND i.source_id = g.source_id
       WHERE f.line = p.line AND p.kind = 'POINT_OF_INTEREST'""",
    """UPDATE import_plan AS p SET ancestors = coalesce(
           (SELECT q.ancestors || q.destination_id FROM import_plan AS q WHERE q.destination_id = p.parent_id),
           (SELECT d.ancestors || d.id FROM catalogue_destination AS d WHERE d.id = p.parent_id))
       WHERE p.kind = 'POINT_OF_INTEREST'""",
    """UPDATE import_plan SET values = values || jsonb_build_object('parent', parent_id)
       WHERE kind = 'POINT_OF_INTEREST'""",
)
# Places of the catalogue that no import of this source has written. A few degrees around a row are near.
_CANDIDATES: Final = """
CREATE TEMP TABLE import_candidate AS
SELECT d.id, d.kind, d.country_code, d.latitude, d.longitude, n.folded
FROM catalogue_destination AS d
LEFT JOIN LATERAL (SELECT DISTINCT lower(unaccent(t.name)) AS folded FROM catalogue_destinationtranslation AS t
                   WHERE t.destination_id = d.id) AS n ON true
WHERE d.country_code IN (SELECT country FROM import_plan WHERE action = 'new')
  AND NOT EXISTS (SELECT FROM catalogue_importedplace AS i WHERE i.destination_id = d.id AND i.source = %(source)s)
"""
_NEAR: Final = """abs(c.latitude - p.latitude) <= 0.3
    AND least(abs(c.longitude - p.longitude), 360 - abs(c.longitude - p.longitude)) <= 0.5"""
_SAME_COUNTRY: Final = """
    SELECT p.line, c.id, 0::float8 AS distance FROM import_plan AS p JOIN import_candidate AS c
    ON c.country_code = p.country AND c.kind = 'COUNTRY' WHERE p.kind = 'COUNTRY' AND p.action = 'new'
"""
_DISTANCE: Final = "abs(c.latitude - p.latitude) + abs(c.longitude - p.longitude) AS distance"
_SAME_NAME: Final = f"""
    SELECT p.line, c.id, {_DISTANCE} FROM import_plan AS p JOIN import_candidate AS c
    ON c.country_code = p.country AND c.folded = lower(unaccent(p.name)) AND c.kind = p.kind
    WHERE p.action = 'new' AND p.kind <> 'COUNTRY' AND {_NEAR}
"""
_OTHER_NAME: Final = f"""
    SELECT p.line, c.id, {_DISTANCE} FROM import_candidate AS c JOIN import_plan AS p
    ON c.country_code = p.country AND c.kind = p.kind AND {_NEAR}
    WHERE p.action = 'new' AND p.kind <> 'COUNTRY' AND c.folded IN (
        SELECT lower(unaccent(substr(name, strpos(name, ':') + 1))) FROM unnest(p.names) AS name)
"""
_ADOPT: Final = """
WITH pairs AS ({matches}), ranked AS (
    SELECT line, id, row_number() OVER (PARTITION BY line ORDER BY distance, id) AS of_line,
           row_number() OVER (PARTITION BY id ORDER BY distance, line) AS of_place
    FROM (SELECT line, id, min(distance) AS distance FROM pairs GROUP BY line, id) AS pair
)
UPDATE import_plan AS p SET action = 'adopted', destination_id = ranked.id
FROM ranked WHERE ranked.line = p.line AND of_line = 1 AND of_place = 1
"""


def plan(*, source: str) -> None:
    """Fill the plan of the rows that are not rejected. More rows may be rejected for their parents."""
    if staging.rows("SELECT EXISTS (SELECT FROM import_place WHERE parent IS NOT NULL)")[0][0]:
        _check_parents(source)
    staging.execute(_PLAN, source=source)
    staging.execute("CREATE INDEX ON import_plan (country)")
    staging.execute("CREATE INDEX ON import_plan (line)")
    staging.execute("ANALYZE import_plan")
    _adopt(source)
    if staging.rows("SELECT EXISTS (SELECT FROM import_place WHERE kind <> 'CITY')")[0][0]:
        staging.execute("CREATE INDEX ON import_plan (destination_id)")
        for statement in _PARENT_IDS:
            staging.execute(statement, source=source)
    staging.execute("CREATE TEMP TABLE import_slug (line bigint PRIMARY KEY, slug text UNIQUE)")


def _check_parents(source: str) -> None:
    for statement in _PARENTS:
        staging.execute(statement, source=source)
    staging.reject(checks.CYCLE)
    staging.reject(checks.WRONG_PARENT)
    while staging.reject(checks.UNKNOWN_PARENT):  # a rejected parent takes its children with it
        staging.execute(
            """UPDATE import_place AS p SET parent_line = NULL
               WHERE NOT EXISTS (SELECT FROM import_place AS q WHERE q.line = p.parent_line)"""
        )


def _adopt(source: str) -> None:
    """Match new rows with places that no import has written: the seed's, and those that staff made."""
    staging.execute("DROP TABLE IF EXISTS pg_temp.import_candidate")
    staging.execute(_CANDIDATES, source=source)
    staging.execute("ANALYZE import_candidate")
    for matches in (_SAME_COUNTRY, _SAME_NAME, _OTHER_NAME):
        if staging.execute(_ADOPT.format(matches=matches)):
            staging.execute(
                """DELETE FROM import_candidate WHERE id IN (
                       SELECT destination_id FROM import_plan WHERE action = 'adopted')"""
            )
    staging.execute("DROP TABLE import_candidate")
