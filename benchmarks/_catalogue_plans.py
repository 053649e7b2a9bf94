"""Print the query plans of the catalogue's reads, as PostgreSQL keeps them for prepared statements.

`DJANGO_SETTINGS_MODULE=destinations_service.config.settings python -m benchmarks._in_django _catalogue_plans`, with the
environment of destinations_service and a seeded catalogue.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.db import connection
from psycopg import sql

from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import DestinationQuery, TripQuery
from destinations_service.catalogue.models import Departure, Destination, Trip
from shared.statement import Answer, Statement

PARAMETER = re.compile(r"%\((\w+)\)s")


def plan_of(read: Callable[[], object]) -> str:
    """Run `read`, and return its statement's plan with the rows that each step found."""
    executed: list[Mapping[str, object]] = []
    original = Statement.send

    def noting(statement: Statement[Any], **parameters: object) -> Answer[Any]:
        executed.append({"sql": statement.sql, **parameters})
        return original(statement, **parameters)

    with patch.object(Statement, "send", noting):
        read()
    names = dict.fromkeys(PARAMETER.findall(str(executed[-1]["sql"])))
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY prepare_time DESC LIMIT 1", prepare=False)
        (name,) = cursor.fetchone()
        values = sql.SQL(", ").join(sql.Literal(executed[-1][parameter]) for parameter in names)
        call = sql.SQL("EXECUTE {}({})") if names else sql.SQL("EXECUTE {}")
        explain = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) ")
        cursor.execute(explain + call.format(sql.Identifier(name), values), prepare=False)
        return "\n".join(f"    {line}" for (line,) in cursor.fetchall())


def main() -> None:
    """Print the plan of each read."""
    trips = list(Trip.objects.order_by("slug").values_list("id", flat=True)[:20])
    places = list(Trip.objects.order_by("slug").values_list("destination_id", flat=True)[:20])
    countries = list(Destination.objects.filter(kind="COUNTRY").order_by("slug").values_list("id", flat=True)[:20])
    departures: list[UUID] = list(Departure.objects.order_by("starts_at", "id").values_list("id", flat=True)[:20])
    dates: dict[str, Any] = {"departs_after": None, "departs_before": None, "first": 10, "after": ""}
    reads: dict[str, Callable[[], object]] = {
        "20 places by id": lambda: selectors.destinations_by_key(ids=places),
        "20 trips by id": lambda: selectors.trips_by_key(ids=trips),
        "20 departures by id": lambda: selectors.departures_by_id(ids=departures),
        "a departure to quote": lambda: selectors.departure_for_quote(departure_id=departures[0]),
        "photos of 20 places": lambda: selectors.photos(destination_ids=places),
        "average prices of 20 places": lambda: selectors.average_prices(destination_ids=places),
        "children of 20 countries": lambda: selectors.children_of(parent_ids=countries, kind="", first=20, after=""),
        "trips of 20 countries": lambda: selectors.trips_of(destination_ids=countries, **dates),
        "departures of 20 trips": lambda: selectors.departures_of(trip_ids=trips, only_available=False, **dates),
        "popular places": lambda: selectors.search_destinations(query=DestinationQuery(), first=20, after=""),
        "a search for `san`": lambda: selectors.search_destinations(
            query=DestinationQuery(search="san"), first=20, after=""
        ),
        "trips by price": lambda: selectors.search_trips(query=TripQuery(order="PRICE", seats=2), first=20, after=""),
    }
    print(
        f"{Destination.objects.count():,} places, {Trip.objects.count():,} trips, {Departure.objects.count():,} departures\n"
    )
    for name, read in reads.items():
        print(f"=== {name}\n\n{plan_of(read)}\n")


if __name__ == "__main__":
    main()
