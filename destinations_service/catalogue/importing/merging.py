"""Merges one country in one transaction: its places, their names, what was imported, events and the search index."""

from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from contracts.travel.events.v1 import destinations_pb2 as pb
from destinations_service.catalogue.importing import comparing, slugs, staging
from destinations_service.catalogue.importing.contracts import Counts, Difference
from destinations_service.catalogue.importing.refusals import CountryFailed
from destinations_service.catalogue.models import ImportRun
from destinations_service.catalogue.seed_data import CONTINENTS
from destinations_service.catalogue.services import refresh_search
from shared.db import sqlstate
from shared.failpoints import failpoint
from shared.outbox import publish_selected

_TRIES: Final = 5
_AGAIN: Final = frozenset(
    {"40001", "40P01", "55P03", "23505", "23503"}
)  # deadlock, lock timeout, taken slug, lost parent

# Parents first, then the places that change, each in the order of ids: as every other writer locks them.
_LOCK_PARENTS: Final = """
SELECT d.id FROM catalogue_destination AS d WHERE d.id IN (
    SELECT DISTINCT unnest(ancestors) FROM import_plan WHERE country = %(country)s AND action = 'new'
) ORDER BY d.id FOR KEY SHARE
"""
_LOCK_PLACES: Final = """
SELECT d.id FROM catalogue_destination AS d WHERE d.id IN (
    SELECT destination_id FROM import_plan WHERE country = %(country)s AND action IN ('changed', 'adopted')
) ORDER BY d.id FOR NO KEY UPDATE
"""
_UPDATE: Final = """
WITH touched AS (
    SELECT line, destination_id,
           coalesce(jsonb_object_agg(field, wanted) FILTER (WHERE field IS NOT NULL), '{}') AS taken
    FROM (SELECT line, destination_id, field, wanted FROM import_field WHERE is_taken
          UNION ALL SELECT DISTINCT line, destination_id, NULL, NULL::jsonb FROM import_name) AS part
    GROUP BY line, destination_id
)
UPDATE catalogue_destination AS d SET
    latitude = CASE WHEN taken ? 'position' THEN p.latitude ELSE d.latitude END,
    longitude = CASE WHEN taken ? 'position' THEN p.longitude ELSE d.longitude END,
    time_zone = CASE WHEN taken ? 'time_zone' THEN p.time_zone ELSE d.time_zone END,
    population = CASE WHEN taken ? 'population' THEN p.population ELSE d.population END,
    tags = CASE WHEN taken ? 'tags' THEN p.tags ELSE d.tags END,
    currency = CASE WHEN taken ? 'currency' THEN p.currency ELSE d.currency END,
    parent_id = CASE WHEN taken ? 'parent' THEN p.parent_id ELSE d.parent_id END,
    ancestors = CASE WHEN taken ? 'parent' THEN p.ancestors ELSE d.ancestors END,
    version = d.version + 1, updated_at = clock_timestamp()
FROM touched JOIN import_plan AS p ON p.line = touched.line
WHERE d.id = touched.destination_id
RETURNING d.id
"""
_CREATE: Final = """
INSERT INTO catalogue_destination (
    id, slug, kind, parent_id, ancestors, country_code, latitude, longitude, time_zone, population, tags, currency,
    popularity, version, created_at, updated_at)
SELECT p.destination_id, s.slug, p.kind, p.parent_id, p.ancestors, p.country, p.latitude, p.longitude,
       coalesce(p.time_zone, ''), p.population,
       coalesce(p.tags, ARRAY(SELECT tag FROM unnest(c.tags) AS tag WHERE tag = ANY(%(continents)s)), '{}'),
       coalesce(p.currency, c.currency, (SELECT q.currency FROM import_plan AS q
                                         WHERE q.country = p.country AND q.kind = 'COUNTRY' LIMIT 1)),
       0, 1, clock_timestamp(), clock_timestamp()
FROM import_plan AS p JOIN import_slug AS s ON s.line = p.line LEFT JOIN import_country AS c ON c.code = p.country
WHERE p.country = %(country)s AND p.action = 'new' ORDER BY p.line
RETURNING id
"""
_TRANSLATE_NEW: Final = """
INSERT INTO catalogue_destinationtranslation (destination_id, language, name, summary, description)
SELECT p.destination_id, substr(t.key, 6), t.value, '', ''
FROM import_plan AS p, jsonb_each_text(p.translations) AS t WHERE p.country = %(country)s AND p.action = 'new'
"""
_NAME_NEW: Final = """
INSERT INTO catalogue_placename (destination_id, language, name, kind)
SELECT DISTINCT p.destination_id, split_part(n, ':', 1), substr(n, strpos(n, ':') + 1), 'ALTERNATE'
FROM import_plan AS p, unnest(p.names) AS n
WHERE p.country = %(country)s AND p.action = 'new' AND substr(n, strpos(n, ':') + 1) NOT IN ('', p.name)
"""
_TRANSLATE: Final = """
INSERT INTO catalogue_destinationtranslation (destination_id, language, name, summary, description)
SELECT destination_id, substr(field, 6), wanted #>> '{}', '', '' FROM import_field
WHERE is_taken AND field LIKE 'name:%%'
ON CONFLICT (destination_id, language) DO UPDATE SET name = excluded.name
"""
_FORGET_NAMES: Final = """
DELETE FROM catalogue_placename AS e USING import_name AS n
WHERE NOT n.is_new AND e.destination_id = n.destination_id AND e.language = n.language AND e.name = n.name
"""
_ADD_NAMES: Final = """
INSERT INTO catalogue_placename (destination_id, language, name, kind)
SELECT DISTINCT destination_id, language, name, 'ALTERNATE' FROM import_name WHERE is_new AND name <> ''
ON CONFLICT DO NOTHING
"""
_REMEMBER: Final = """
INSERT INTO catalogue_importedplace (source, source_id, destination_id, digest, values)
SELECT %(source)s, p.source_id, p.destination_id, p.digest, p.values FROM import_plan AS p
WHERE p.country = %(country)s AND p.action <> 'deleted'
  AND (p.action = 'new' OR EXISTS (SELECT FROM catalogue_destination AS d WHERE d.id = p.destination_id))
ON CONFLICT (source, source_id) DO UPDATE SET digest = excluded.digest, values = excluded.values
"""
_EVENTS: Final = """
SELECT d.id::text, d.version,
       '{"destination_id": "' || d.id || '", "slug": ' || to_json(d.slug) || ', "version": "' || d.version || '"}'
FROM catalogue_destination AS d WHERE d.id = ANY(%(ids)s) ORDER BY d.id
"""
_KEPT: Final = "SELECT count(*) FROM import_field WHERE NOT is_taken"
_DIFFERENCES: Final = """
SELECT f.line, p.source_id, d.slug, p.country, CASE WHEN f.is_taken THEN 'update' ELSE 'keep' END, f.field,
       coalesce(f.present #>> '{}', ''), coalesce(f.wanted #>> '{}', '')
FROM import_field AS f JOIN import_plan AS p ON p.line = f.line
JOIN catalogue_destination AS d ON d.id = f.destination_id
WHERE NOT f.is_taken OR %(all)s
UNION ALL
SELECT n.line, p.source_id, d.slug, p.country, 'update', 'names',
       coalesce(string_agg(n.name, ', ' ORDER BY n.name) FILTER (WHERE NOT n.is_new), ''),
       coalesce(string_agg(n.name, ', ' ORDER BY n.name) FILTER (WHERE n.is_new), '')
FROM import_name AS n JOIN import_plan AS p ON p.line = n.line
JOIN catalogue_destination AS d ON d.id = n.destination_id
WHERE %(all)s GROUP BY n.line, p.source_id, d.slug, p.country
UNION ALL
SELECT p.line, p.source_id, s.slug, p.country, 'create', p.kind, '', p.name
FROM import_plan AS p JOIN import_slug AS s ON s.line = p.line WHERE p.action = 'new' AND %(all)s
ORDER BY 1, 6 LIMIT %(limit)s
"""


def merge(*, country: str, run: ImportRun, counts: Counts) -> list[Difference]:
    """Merge a country, or raise CountryFailed and leave it as it was. Return the values that staff's edits kept.

    `counts` has the numbers of new, adopted and unchanged rows. The numbers of updates and kept values are added.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                kept = _merge(country, run, counts)
                failpoint("import.before_commit")
        except (IntegrityError, OperationalError) as error:
            if sqlstate(error) not in _AGAIN or attempt == _TRIES:
                raise CountryFailed(country=country, why=_line(error)) from error
            slugs.assign(country=country)
        else:
            failpoint("import.country_merged")
            return kept
    raise AssertionError("the last attempt returns or raises")


def differences(*, everything: bool, limit: int | None = None) -> list[Difference]:
    """Return what the last comparison found: with `everything` all that changes, else what is kept."""
    return [Difference(*row) for row in staging.rows(_DIFFERENCES, all=everything, limit=limit)]


def each_difference(use: Callable[[Difference], None]) -> None:
    """Call `use` with all that the last comparison found, with bounded memory."""
    staging.each(_DIFFERENCES, lambda row: use(Difference(*row)), all=True, limit=None)


def _merge(country: str, run: ImportRun, counts: Counts) -> list[Difference]:
    kept: list[Difference] = []
    ids: list[Any] = []
    counts.updated = counts.kept = 0
    if counts.created:
        staging.rows(_LOCK_PARENTS, country=country)
    if counts.changed:
        staging.rows(_LOCK_PLACES, country=country)
        comparing.compare(country=country)
        updated = staging.rows(_UPDATE)
        for statement in (_TRANSLATE, _FORGET_NAMES, _ADD_NAMES):
            staging.execute(statement)
        ids += [row[0] for row in updated]
        counts.updated = len(updated)
        kept = differences(everything=False)
        counts.kept = len(kept)
    if counts.created:
        ids += [row[0] for row in staging.rows(_CREATE, country=country, continents=_CONTINENT_TAGS)]
        staging.execute(_TRANSLATE_NEW, country=country)
        staging.execute(_NAME_NEW, country=country)
    staging.execute(_REMEMBER, country=country, source=run.source)
    if ids:
        publish_selected(pb.DestinationChanged, _EVENTS, ids=ids)
        refresh_search(ids=ids)
    run.countries[country] = counts.stored_values()
    run.save(update_fields=["countries"])
    return kept


_CONTINENT_TAGS: Final = [tag for tag, _, _ in CONTINENTS.values()]


def _line(error: DatabaseError) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def patient() -> None:
    """Prepare this session: other writers may hold a row for a while, and a large country takes long."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '5min'")
        cursor.execute("SET plan_cache_mode = auto")
        cursor.execute("SET work_mem = '64MB'")
        cursor.execute("SET gin_pending_list_limit = '32MB'")
