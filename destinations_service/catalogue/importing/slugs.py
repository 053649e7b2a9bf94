"""Slugs of new places: the name; then the name and the country; then also the region; then the name and the id.

Among places of one name the largest gets the shortest slug. The slug of a place never changes afterwards.
"""

# ruff: noqa: S608 — statements are put together from constants. Every value is a parameter.

from typing import Final

from destinations_service.catalogue.importing import staging


def _plain(text: str) -> str:
    return f"trim(BOTH '-' FROM regexp_replace(lower(unaccent({text})), '[^a-z0-9]+', '-', 'g'))"


_BASES: Final = f"""
CREATE TEMP TABLE import_base AS
SELECT line, coalesce(nullif(left({_plain("coalesce(ascii, name)")}, 60), ''), 'place') AS base,
       lower(country) AS country, left({_plain("admin")}, 10) AS admin, left({_plain("source_id")}, 20) AS id,
       coalesce(population, 0) AS population, destination_id
FROM import_plan WHERE action = 'new' AND line NOT IN (SELECT line FROM import_slug)
"""
_CANDIDATES: Final = (
    "nullif(base, 'place')",
    "nullif(base, 'place') || '-' || country",
    "nullif(base, 'place') || '-' || country || '-' || nullif(admin, '')",
    "base || '-' || nullif(id, '')",
    "base || '-' || right(destination_id::text, 12)",
)
_TAKE: Final = """
INSERT INTO import_slug (line, slug)
SELECT DISTINCT ON (slug) line, slug FROM (SELECT line, {slug} AS slug, population FROM import_base) AS wanted
WHERE slug IS NOT NULL
  AND NOT EXISTS (SELECT FROM catalogue_destination AS d WHERE d.slug = wanted.slug)
  AND NOT EXISTS (SELECT FROM catalogue_slugredirect AS r WHERE r.slug = wanted.slug AND r.destination_id IS NOT NULL)
  AND NOT EXISTS (SELECT FROM import_slug AS s WHERE s.slug = wanted.slug)
ORDER BY slug, population DESC, line
"""


def assign(*, country: str | None = None) -> None:
    """Give a slug to each new place that has none. With `country`, choose those of its places anew."""
    if country is not None:
        staging.execute(
            "DELETE FROM import_slug WHERE line IN (SELECT line FROM import_plan WHERE country = %(country)s)",
            country=country,
        )
    staging.execute("DROP TABLE IF EXISTS pg_temp.import_base")
    staging.execute(_BASES)
    for slug in _CANDIDATES:
        staging.execute(_TAKE.format(slug=slug))
        staging.execute("DELETE FROM import_base WHERE line IN (SELECT line FROM import_slug)")
    staging.execute("DROP TABLE import_base")
