"""The recall and the speed of the search, inside destinations_service's Django: prints JSON. See catalogue.py."""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks._typing_errors import sample
from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import SearchQuery
from destinations_service.catalogue.folding import fold

SEEDS: Final = (1, 2)
NAMES: Final = 200
# Larger places and all trips: what people look for. A smaller place often shares its name with many.
_KNOWN: Final = """
SELECT e.id::text, names.name FROM catalogue_searchentry AS e CROSS JOIN LATERAL unnest(e.names[1:2]) AS names(name)
WHERE (e.population >= 100000 OR e.kind IN ('TRIP', 'POINT_OF_INTEREST', 'COUNTRY')) AND length(names.name) >= 5
ORDER BY names.name, e.population, e.kind
"""
_EXACT: Final = """
SELECT e.id::text, names.name FROM catalogue_searchentry AS e CROSS JOIN LATERAL unnest(e.names) AS names(name)
WHERE e.population >= 100000 AND e.kind <> 'TRIP' AND length(names.name) >= 3
ORDER BY names.name, e.population
"""
_SAME_NAME: Final = "SELECT id::text, folded FROM catalogue_searchentry WHERE id = ANY(%s::uuid[])"
_TRIPS: Final = """
INSERT INTO catalogue_trip (id, slug, destination_id, duration_days, currency, tax_basis_points, popularity, version,
                            languages, minimum_days_before, booking_closes_hours, created_at, updated_at)
SELECT gen_random_uuid(), 'bench-' || n, d.id, 4, 'EUR', 0, 0, 1, '{}', 14, 0, now(), now()
FROM (SELECT id, row_number() OVER (ORDER BY population DESC NULLS LAST) AS n
      FROM catalogue_destination WHERE kind = 'CITY') AS d WHERE n <= %(trips)s
"""
_TITLES: Final = """
INSERT INTO catalogue_triptranslation (trip_id, language, title, description, included, excluded, meeting_point)
SELECT t.id, l.language, CASE l.language WHEN 'EN' THEN 'Days in ' ELSE 'Des jours à ' END || w.name, '', '{}', '{}', ''
FROM catalogue_trip AS t CROSS JOIN unnest(ARRAY['EN', 'FR']) AS l(language)
JOIN catalogue_destinationtranslation AS w ON w.destination_id = t.destination_id AND w.language = 'EN'
WHERE t.slug LIKE 'bench-%%'
"""
_DEPARTURES: Final = """
INSERT INTO catalogue_departure (id, trip_id, starts_at, ends_at, time_zone, status, capacity, adult_price, child_price,
                                 version, seats_taken, seats_sequence, created_at, updated_at, change_reason)
SELECT gen_random_uuid(), t.id, now() + n * interval '7 days', now() + n * interval '7 days' + interval '3 days',
       'Europe/Paris', 'OPEN', 20, 100 + n, 50, 1, 0, 0, now(), now(), ''
FROM catalogue_trip AS t CROSS JOIN generate_series(1, 50) AS n WHERE t.slug LIKE 'bench-%%'
"""


def main() -> None:
    """Fill the catalogue up, measure, and print JSON."""
    from destinations_service.catalogue import services

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalogue_trip")
        cursor.execute(_TRIPS, {"trips": max(0, 1_000 - cursor.fetchone()[0])})
        cursor.execute(_TITLES)
        cursor.execute(_DEPARTURES)
        cursor.execute("SELECT id FROM catalogue_trip WHERE slug LIKE 'bench-%%'", [])
        trips = [row[0] for row in cursor.fetchall()]
    services.refresh_search_of_trips(ids=trips)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(_KNOWN)
        known = cursor.fetchall()
        cursor.execute(_EXACT)
        exact = cursor.fetchall()
        cursor.execute("SELECT (SELECT count(*) FROM catalogue_destination), (SELECT count(*) FROM catalogue_trip),"
                       " (SELECT count(*) FROM catalogue_departure)")  # fmt: skip
        sizes = cursor.fetchone()
    wrong = {seed: sample(known, NAMES, seed) for seed in SEEDS}
    named = random.Random(3).sample(exact, NAMES)
    print(json.dumps({
        "sizes": sizes,
        "errors": {seed: recall(pairs, first=3, names=dict(known)) for seed, pairs in wrong.items()},
        "exact": recall(named, first=1, names=None),
        "speed": {
            "search, one typing error": speed([text for _, text in wrong[1]], find),
            "search, exact names": speed([text for _, text in named], find),
            "search, with facets": speed([text for _, text in named[:50]], find_with_facets),
            "search, beginnings of 3 letters": speed([fold(text)[:3] for _, text in known[:200]], find),
            "search, frequent words": speed(["san", "saint", "de la", "new", "san jose united states", "la", "s"], find),
            "suggest, beginnings of 1 to 6 letters": speed(
                [fold(text)[: 1 + index % 6] for index, (_, text) in enumerate(known[:200])], complete
            ),
        },
        "bare": bare([text for _, text in named]),
    }))  # fmt: skip


def recall(pairs: Sequence[tuple[str, str]], *, first: int, names: Any) -> dict[str, Any]:
    """Return how many texts find their place among the first. Another place that has the same name counts too."""
    missed = []
    with connection.cursor() as cursor:
        cursor.execute(_SAME_NAME, [[place for place, _ in pairs]])
        folded = dict(cursor.fetchall())
    for place, text in pairs:
        results = selectors.search(query=SearchQuery(text=text), first=first, after="").results
        found = [str(result.node.id) for result in results]
        if place not in found:
            cursor_names = _folded(found)
            if not any(set(folded[place]) & set(each) for each in cursor_names):
                missed.append(text)
    return {"found": len(pairs) - len(missed), "of": len(pairs), "missed": missed[:12]}


def _folded(ids: Sequence[str]) -> list[list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(_SAME_NAME, [list(ids)])
        return [names for _, names in cursor.fetchall()]


def find(text: str) -> None:
    """Search as an RPC does, without the RPC."""
    selectors.search(query=SearchQuery(text=text), first=20, after="")


def find_with_facets(text: str) -> None:
    """Search with facets."""
    selectors.search(query=SearchQuery(text=text, with_facets=True), first=20, after="")


def complete(text: str) -> None:
    """Suggest as an RPC does, without the RPC."""
    selectors.suggest(text=text, first=5, language="EN")


def speed(texts: Sequence[str], work: Callable[[str], None]) -> dict[str, float]:
    """Return the time of each text at its first use (cold) and afterwards (warm), in milliseconds."""
    cold = [_timed(work, text) for text in texts]
    warm = [_timed(work, text) for _ in range(3) for text in texts]
    return {"cold p50": _at(cold, 50), "cold p99": _at(cold, 99), "warm p50": _at(warm, 50), "warm p99": _at(warm, 99)}


def bare(texts: Sequence[str]) -> dict[str, float]:
    """Return the time of the same statements sent by psycopg alone, beside that of the search: their ratio."""
    with CaptureQueriesContext(connection) as captured:
        for text in texts[:50]:
            find(text)
    statements = [query["sql"] for query in captured.captured_queries]
    began = time.perf_counter()
    for text in texts[:50]:
        find(text)
    ours = time.perf_counter() - began
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    began = time.perf_counter()
    for statement in statements:
        cursor.execute(statement.encode(), prepare=False, binary=True)
        cursor.fetchall()
    theirs = time.perf_counter() - began
    return {"ours ms": round(ours * 20, 2), "bare ms": round(theirs * 20, 2), "ratio": round(theirs / ours, 2)}


def _timed(work: Callable[[str], None], text: str) -> float:
    began = time.perf_counter()
    work(text)
    return (time.perf_counter() - began) * 1_000


def _at(values: Sequence[float], percent: int) -> float:
    return round(sorted(values)[min(len(values) - 1, len(values) * percent // 100)], 1)


if __name__ == "__main__":
    sys.exit(main())
