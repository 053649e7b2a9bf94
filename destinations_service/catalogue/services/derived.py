"""The column that is derived from a destination's prices: a day's cost in euros."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

_COSTS = """
WITH cost AS (
    SELECT d.id, (
        SELECT round(p.amount / CASE WHEN p.currency = 'EUR' THEN 1 ELSE r.rate END, 2)
        FROM catalogue_averageprice AS p
        LEFT JOIN LATERAL (SELECT rate FROM catalogue_exchangerate AS x WHERE x.currency = p.currency
                           ORDER BY as_of DESC LIMIT 1) AS r ON true
        WHERE p.destination_id = d.id AND p.category = 'DAY_MIDRANGE') AS euros
    FROM catalogue_destination AS d WHERE {condition} ORDER BY d.id FOR UPDATE OF d
)
UPDATE catalogue_destination AS d SET daily_cost_eur = cost.euros
FROM cost WHERE d.id = cost.id AND d.daily_cost_eur IS DISTINCT FROM cost.euros
"""
_OF_IDS = _COSTS.format(condition="d.id = ANY(%s)")
_IN_CURRENCIES = _COSTS.format(
    condition="d.id IN (SELECT destination_id FROM catalogue_averageprice"
    " WHERE category = 'DAY_MIDRANGE' AND currency = ANY(%s))"
)


def refresh_costs(*, ids: Collection[UUID]) -> None:
    """Rewrite a day's cost in euros, at the latest rates. It is null if the currency has no rate."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_IDS, [list(ids)])


def refresh_costs_in(currencies: Collection[str]) -> int:
    """Rewrite a day's cost of the places with a price in `currencies`. Return how many have another one now."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_CURRENCIES, [list(currencies)])
        count: int = cursor.rowcount
    return count
