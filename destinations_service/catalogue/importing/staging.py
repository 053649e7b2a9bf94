"""The staging table: rows as text, loaded by COPY, then checked and typed by statements over all rows.

The tables are temporary. A killed import leaves none of them, and other sessions never see them.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from destinations_service.catalogue.importing import checks
from destinations_service.catalogue.importing.contracts import Problem
from destinations_service.catalogue.importing.geonames import LANGUAGES
from destinations_service.catalogue.importing.rows import COLUMNS

TABLES: Final = ("import_raw", "import_country", "import_zone", "import_currency", "import_problem", "import_place",
                 "import_plan", "import_slug", "import_field", "import_name")  # fmt: skip
_RAW: Final = f"CREATE TEMP TABLE import_raw (line bigint, {', '.join(f'{name} text' for name in COLUMNS[1:])})"
_COPY: Final = f"COPY import_raw ({', '.join(COLUMNS)}) FROM STDIN (FORMAT text, NULL '')"
_KNOWN: Final = (
    """CREATE TEMP TABLE import_country AS
       SELECT DISTINCT ON (country_code) country_code AS code, id, currency, tags
       FROM catalogue_destination WHERE kind = 'COUNTRY' ORDER BY country_code, id""",
    "CREATE TEMP TABLE import_zone AS SELECT unnest(%(zones)s::text[]) AS name",
    "CREATE TEMP TABLE import_currency AS SELECT unnest(%(currencies)s::text[]) AS code",
    """CREATE TEMP TABLE import_problem (line bigint, source_id text, "column" text, value text, reason text)""",
)
_TYPED: Final = """
CREATE TEMP TABLE import_place AS
SELECT typed.*, md5(ROW(kind, parent, country, latitude, longitude, time_zone, population, tags, currency, translations,
                        names)::text) AS digest
FROM (
    SELECT line, source_id, kind, parent, country, latitude::float8, longitude::float8, time_zone,
           nullif(population::bigint, 0) AS population, string_to_array(tags, E'\\x1f') AS tags, currency,
           coalesce(admin, '') AS admin, name, ascii,
           CASE WHEN translations IS NULL THEN (
               SELECT jsonb_object_agg('name:' || language, r.name) FROM unnest(%(languages)s::text[]) AS language
           ) ELSE (
               SELECT jsonb_object_agg('name:' || split_part(part, ':', 1), substr(part, strpos(part, ':') + 1))
               FROM unnest(string_to_array(translations, E'\\x1f')) AS part
           ) END AS translations,
           coalesce(string_to_array(names, E'\\x1f'), '{}') AS names,
           NULL::bigint AS parent_line, NULL::uuid AS parent_place
    FROM import_raw AS r
    WHERE NOT EXISTS (SELECT FROM import_problem AS p WHERE p.line = r.line)
) AS typed
"""


def execute(sql: str, **parameters: Any) -> int:
    """Execute a statement and return the number of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def rows(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Execute a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def drop() -> None:
    """Drop the staging tables of this session."""
    execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{table}' for table in TABLES)}")


def load(batches: Iterator[bytes], *, zones: set[str], currencies: set[str], codes: set[str]) -> None:
    """Copy the rows into the staging table, then note why rows are wrong and type the others."""
    drop()
    with connection.cursor() as cursor:
        cursor.execute(_RAW)
        _copy(cursor, batches)
    for statement in _KNOWN:
        execute(statement, zones=sorted(zones), currencies=sorted(currencies))
    execute("ANALYZE import_raw")
    for check in checks.of_values():
        execute(check, codes=sorted(codes))
    execute("ANALYZE import_problem")
    execute(_TYPED, languages=list(LANGUAGES))
    execute("CREATE INDEX ON import_place (source_id)")
    execute("ANALYZE import_place")


def reject(sql: str, **parameters: Any) -> int:
    """Note the problems that a query finds, and take their rows out. Return how many were found."""
    found = execute(f'INSERT INTO import_problem (line, source_id, "column", value, reason) {sql}', **parameters)
    if found:
        execute("DELETE FROM import_place WHERE line IN (SELECT line FROM import_problem)")
    return found


def rejected() -> int:
    """Return how many lines were rejected."""
    return int(rows("SELECT count(DISTINCT line) FROM import_problem")[0][0])


def problems(*, limit: int | None = None) -> list[Problem]:
    """Return the first problems, in the order of the lines."""
    found = rows(
        """SELECT line, coalesce(source_id, ''), "column", coalesce(value, ''), reason FROM import_problem
           ORDER BY line, "column" LIMIT %(limit)s""",
        limit=limit,
    )
    return [Problem(*row) for row in found]


def each(sql: str, use: Callable[[tuple[Any, ...]], None], **parameters: Any) -> None:
    """Call `use` with each row of a query, with bounded memory."""
    from django.db import transaction

    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while batch := cursor.fetchmany(2_000):
            for row in batch:
                use(row)


def _copy(cursor: CursorWrapper, batches: Iterator[bytes]) -> None:
    with cursor.copy(_COPY) as copy:
        for batch in batches:
            if batch:
                copy.write(batch)
