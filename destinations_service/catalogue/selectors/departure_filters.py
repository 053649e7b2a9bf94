"""The conditions of open departures that a search for trips or places asks for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from destinations_service.catalogue.contracts import TripQuery
from destinations_service.catalogue.selectors.places import euros

Filter = tuple[str, dict[str, Any]]  # a condition, and the values of its parameters

# Prices are compared in euros, at the latest rate. A currency without a rate is null, and so is every comparison.
RATE: Final = """CASE WHEN t.currency = 'EUR' THEN 1 ELSE (
    SELECT r.rate FROM catalogue_exchangerate AS r WHERE r.currency = t.currency ORDER BY r.as_of DESC LIMIT 1) END"""


def has_departure_filter(query: TripQuery) -> bool:
    """Return whether the query asks for departures between dates, with seats, or up to a price."""
    return bool(query.departs_after or query.departs_before or query.seats or query.max_price)


def date_range(after: date | None = None, before: date | None = None) -> dict[str, datetime]:
    """Return the parameters `now`, `from` and `until`: from now on, or the beginning of a later day; before the end of
    the last day.
    """
    now = datetime.now(UTC)
    until = datetime.combine(before, time(), UTC) + timedelta(days=1) if before else datetime(9000, 1, 1, tzinfo=UTC)
    return {"now": now, "from": max(now, datetime.combine(after, time(), UTC)) if after else now, "until": until}


def departure_conditions(query: TripQuery) -> Iterator[Filter]:
    """Yield the conditions of a departure `x` of a trip `t`: open, to come, and as the query asks for.

    Free seats are read from the copy. Raises Invalid for a price that cannot be compared.
    """
    yield (
        "x.status = 'OPEN' AND x.starts_at >= %(from)s AND x.starts_at < %(until)s",
        date_range(query.departs_after, query.departs_before),
    )
    if query.seats:
        yield "coalesce(x.seats_left, x.capacity) >= %(seats)s", {"seats": query.seats}
    if query.max_price:
        yield f"x.adult_price / ({RATE}) <= %(price)s", {"price": euros(query.max_price, field="maxPrice")}
