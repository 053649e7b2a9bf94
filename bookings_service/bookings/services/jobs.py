"""A job of `run_clock`: work that becomes due as time passes, and the query for when it is due next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import F, QuerySet
from django.db.models.functions import Now

Instant: TypeAlias = (
    datetime | Now
)  # a filter works with either: Now() is the database's clock at the time of the query


@dataclass(frozen=True, slots=True)
class Job:
    """`run` does what is due and returns how much that was. `next_due` returns a query whose rows are the instants when work is due.

    Both are made from the same filter, so that nothing is due without being done. The query must contain no instant of this process's
    clock: it is compiled once and asked many times.
    """

    name: str
    run: Callable[[], int]
    next_due: Callable[[], QuerySet[Any, Any]]


def earliest(rows: QuerySet[Any], field: str, *, after: timedelta | None = None) -> QuerySet[Any, Any]:
    """Return a query for the earliest `field` of the rows, or for the instant that lies `after` it."""
    due = F(field) if after is None else F(field) + after
    return rows.order_by(field).values_list(due)[:1]


def now_if_any(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Return a query for the present instant if there is such a row: the work is due now."""
    return rows.order_by().values_list(Now())[:1]
