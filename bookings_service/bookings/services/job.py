"""The class Job: work that becomes due as time passes, and the query for when it is due next.

Each job is next to the code that it runs. `bookings/clock.py` lists the jobs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import F, QuerySet
from django.db.models.functions import Now

# A datetime, or Now(), the database's time at the time of the query. A filter accepts both.
Instant: TypeAlias = datetime | Now


@dataclass(frozen=True, slots=True)
class Job:
    """`run` does what is due and returns how much that was.

    `next_due` returns a query whose rows are the instants when work is due.

    `run` and `next_due` use the same filter: otherwise the loop would find work due again and again, and never do it.
    The query uses Now(), never a datetime of this process, because it is compiled once and executed many times.
    """

    name: str
    run: Callable[[], int]
    next_due: Callable[[], QuerySet[Any, Any]]


def earliest(rows: QuerySet[Any], field: str, *, after: timedelta | None = None) -> QuerySet[Any, Any]:
    """Return a query for the earliest `field` of the rows, plus `after`."""
    due = F(field) if after is None else F(field) + after
    return rows.order_by(field).values_list(due)[:1]


def now_if_any(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Return a query that selects the present instant if there are any `rows`, else nothing.

    If there are rows, work is due now.
    """
    return rows.order_by().values_list(Now())[:1]
