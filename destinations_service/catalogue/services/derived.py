"""The column that is derived from a destination's prices: a day's cost in euros."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

_COSTS = """
UPDATE catalogue_destination d SET daily_cost_eur = (
    SELECT round(p.amount / CASE WHEN p.currency = 'EUR' THEN 1 ELSE r.rate END, 2)
    FROM catalogue_averageprice p
    LEFT JOIN LATERAL (SELECT rate FROM catalogue_exchangerate x WHERE x.currency = p.currency
                       ORDER BY as_of DESC LIMIT 1) r ON true
    WHERE p.destination_id = d.id AND p.category = 'DAY_MIDRANGE')
WHERE d.id = ANY(%(ids)s)
"""


def refresh_costs(*, ids: Collection[UUID]) -> None:
    """Rewrite a day's cost in euros, at the latest rates. It is null if the currency has no rate."""
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, {"ids": list(ids)})
