"""Three-way merge: a value of the source is taken if the present value is the one that was last imported.

A value that differs from both was changed by staff. It stays, and the report names it. A place that is adopted has no
last import. If nobody has changed it since it was seeded (version 1), its position, time zone and population follow the
source. Its names stay, and its empty values are filled.
"""

# ruff: noqa: S608 — statements are put together from constants. Every value is a parameter.

from typing import Final

from destinations_service.catalogue.importing import staging

_PRESENT: Final = """
jsonb_build_object(
    'kind', d.kind, 'country', d.country_code, 'position', CASE WHEN d.latitude IS NOT NULL THEN
    jsonb_build_array(round(d.latitude::numeric, 4), round(d.longitude::numeric, 4)) END,
    'time_zone', nullif(d.time_zone, ''), 'population', d.population,
    'tags', CASE WHEN d.tags <> '{}' THEN to_jsonb(ARRAY(SELECT tag FROM unnest(d.tags) AS tag ORDER BY tag)) END,
    'currency', nullif(d.currency, ''), 'parent', d.parent_id
) || coalesce((SELECT jsonb_object_agg('name:' || t.language, t.name) FROM catalogue_destinationtranslation AS t
               WHERE t.destination_id = d.id AND t.name <> ''), '{}')
"""
_FIELDS: Final = f"""
INSERT INTO import_field (line, destination_id, country, field, present, wanted, is_taken)
SELECT p.line, d.id, p.country, w.key, nullif(present.v -> w.key, 'null'), w.value,
       w.key NOT IN ('kind', 'country') AND (
           nullif(present.v -> w.key, 'null') IS NOT DISTINCT FROM nullif(base.v -> w.key, 'null')
           OR (p.action = 'adopted' AND nullif(present.v -> w.key, 'null') IS NULL))
FROM import_plan AS p JOIN catalogue_destination AS d ON d.id = p.destination_id
CROSS JOIN LATERAL (SELECT {_PRESENT} AS v) AS present
CROSS JOIN LATERAL (SELECT CASE WHEN p.action = 'changed' THEN p.last WHEN d.version > 1 THEN p.values
    ELSE p.values || jsonb_build_object('position', present.v -> 'position', 'time_zone', present.v -> 'time_zone',
                                        'population', present.v -> 'population') END AS v) AS base
CROSS JOIN LATERAL jsonb_each(p.values - 'names') AS w
WHERE p.action IN ('changed', 'adopted') AND (%(country)s::text IS NULL OR p.country = %(country)s)
  AND nullif(present.v -> w.key, 'null') IS DISTINCT FROM w.value
  AND (base.v -> w.key IS DISTINCT FROM w.value
       OR (p.action = 'adopted' AND nullif(present.v -> w.key, 'null') IS NULL))
"""
_NAMES: Final = """
INSERT INTO import_name (line, destination_id, country, language, name, is_new)
SELECT p.line, d.id, p.country, split_part(n.entry, ':', 1), substr(n.entry, strpos(n.entry, ':') + 1), n.is_new
FROM import_plan AS p JOIN catalogue_destination AS d ON d.id = p.destination_id
CROSS JOIN LATERAL (
    SELECT DISTINCT entry, true AS is_new FROM unnest(p.names) AS entry
    WHERE NOT coalesce(p.last -> 'names', '[]') ? entry
    UNION ALL
    SELECT entry, false FROM jsonb_array_elements_text(coalesce(p.last -> 'names', '[]')) AS entry
    WHERE entry <> ALL (p.names)
) AS n
WHERE p.action IN ('changed', 'adopted') AND (%(country)s::text IS NULL OR p.country = %(country)s)
  AND CASE WHEN n.is_new THEN NOT EXISTS (
          SELECT FROM catalogue_placename AS e
          WHERE e.destination_id = d.id AND e.name = substr(n.entry, strpos(n.entry, ':') + 1)
      ) AND NOT EXISTS (
          SELECT FROM catalogue_destinationtranslation AS t
          WHERE t.destination_id = d.id AND t.name = substr(n.entry, strpos(n.entry, ':') + 1)
      ) ELSE EXISTS (
          SELECT FROM catalogue_placename AS e
          WHERE e.destination_id = d.id AND e.language || ':' || e.name = n.entry
      ) END
"""


def prepare() -> None:
    """Make the tables that `compare` fills."""
    staging.execute(
        """CREATE TEMP TABLE import_field (line bigint, destination_id uuid, country text, field text, present jsonb,
                                           wanted jsonb, is_taken boolean)"""
    )
    staging.execute(
        """CREATE TEMP TABLE import_name (line bigint, destination_id uuid, country text, language text, name text,
                                          is_new boolean)"""
    )


def compare(*, country: str | None = None) -> None:
    """Compare the changed and adopted rows with the places, of one country or of all.

    Lock the places first if the differences are to be written.
    """
    staging.execute("TRUNCATE import_field, import_name")
    staging.execute(_FIELDS, country=country)
    staging.execute(_NAMES, country=country)
