"""Columns derived from a destination's translations, tags and prices: its search text, and a day's cost in euros."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

_SEARCH = """
UPDATE catalogue_destination d SET search_text = (
    SELECT coalesce(string_agg(DISTINCT lower(unaccent(t.name)), ' '), '') || ' ' || array_to_string(d.tags, ' ')
    FROM catalogue_destinationtranslation t WHERE t.destination_id = d.id)
WHERE %(all)s OR d.id = ANY(%(ids)s)
"""
_COSTS = """
UPDATE catalogue_destination d SET daily_cost_eur = (
    SELECT round(p.amount / CASE WHEN p.currency = 'EUR' THEN 1 ELSE r.rate END, 2)
    FROM catalogue_averageprice p
    LEFT JOIN LATERAL (SELECT rate FROM catalogue_exchangerate x WHERE x.currency = p.currency
                       ORDER BY as_of DESC LIMIT 1) r ON true
    WHERE p.destination_id = d.id AND p.category = 'DAY_MIDRANGE')
WHERE d.id = ANY(%(ids)s)
"""


def refresh_search(*, ids: Collection[UUID] | None = None) -> None:
    """Rewrite the search text of `ids`, or of every destination: the names in every language, and the tags."""
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, {"all": ids is None, "ids": list(ids or ())})


def refresh_costs(*, ids: Collection[UUID]) -> None:
    """Rewrite a day's cost in euros, at the latest rates. It is null if the currency has no rate."""
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, {"ids": list(ids)})
