"""The history of a place, a trip, a departure or a rate: who changed what and when, and what it was before."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model

from destinations_service.catalogue.models import (
    AveragePrice,
    CancellationRule,
    Departure,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    Photo,
    Trip,
    TripTranslation,
    history_of,
)
from destinations_service.catalogue.models.history import TRACKED

Row = dict[str, Any]
MOST_EVENTS: Final = 1_000  # of each table, the latest
# What belongs to a row, and the column that says so.
PARTS: Final[dict[type[Model], dict[type[Model], str]]] = {
    Destination: {
        Destination: "id", DestinationTranslation: "destination_id", AveragePrice: "destination_id",
        Photo: "destination_id", OpeningHours: "destination_id",
    },
    Trip: {
        Trip: "id", TripTranslation: "trip_id", CancellationRule: "trip_id", ItineraryDay: "trip_id", Photo: "trip_id",
    },
    Departure: {Departure: "id"},
    ExchangeRate: {ExchangeRate: "id"},
}  # fmt: skip
# What names a row among those of the same kind.
_NAMED_BY: Final[dict[type[Model], str]] = {
    DestinationTranslation: "language", TripTranslation: "language", ItineraryDayTranslation: "language",
    AveragePrice: "category", Photo: "alt_en", OpeningHours: "weekday", CancellationRule: "days_before",
    ItineraryDay: "day",
}  # fmt: skip
_OWNED_BY: Final[dict[type[Model], tuple[str, ...]]] = {
    **{model: (column,) for parts in PARTS.values() for model, column in parts.items() if model not in PARTS},
    Photo: ("destination_id", "trip_id"), ItineraryDayTranslation: ("itinerary_day_id",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after a change. None stands for a row that did not exist."""

    where: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction changed of a row and its parts, and the context that its author has set."""

    transaction: int
    at: datetime
    context: dict[str, Any]
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """A row of a history: `row` is as it was before an update or a deletion, or as it was inserted."""

    model: type[Model]
    label: str
    at: datetime
    transaction: int
    context: dict[str, Any]
    row: Row

    @property
    def before(self) -> Row | None:
        """The row before the event, None if there was none."""
        return None if self.label == "insert" else self.row


def changes_of(row: Model) -> list[Change]:
    """Return the changes of `row` and of what belongs to it, the latest first."""
    events, live = _history(row)
    found: dict[int, list[tuple[_Event, Row | None]]] = defaultdict(list)
    for event, after in _with_following(events, live):
        found[event.transaction].append((event, after))
    changes = [
        Change(
            transaction,
            max(event.at for event, _ in pairs),
            next((event.context for event, _ in pairs if event.context), {}),
            tuple(change for event, after in pairs for change in _differences(event, after)),
        )
        for transaction, pairs in found.items()
    ]
    return sorted(changes, key=lambda change: change.at, reverse=True)


def state_before(row: Model, *, transaction: int) -> dict[type[Model], dict[Any, Row | None]] | None:
    """Return what every changed part of `row` was before a transaction, by model and key. None is a row that was not.

    A part that is not in the answer has not changed since. Returns None if the transaction changed nothing here.
    """
    events, _ = _history(row)
    since = min((event.at for event in events if event.transaction == transaction), default=None)
    if since is None:
        return None
    state: dict[type[Model], dict[Any, Row | None]] = {}
    for event in sorted(events, key=lambda event: event.at, reverse=True):
        if event.at >= since:
            state.setdefault(event.model, {})[event.row["id"]] = event.before
    return state


def columns_of(model: type[Model]) -> list[str]:
    """Return the columns of `model` that have a history."""
    return [model._meta.get_field(name).attname for name in TRACKED[model]]  # type: ignore[union-attr]


def _history(row: Model) -> tuple[list[_Event], dict[tuple[type[Model], Any], Row]]:
    events: list[_Event] = []
    live: dict[tuple[type[Model], Any], Row] = {}
    for model, column in PARTS[type(row)].items():
        _read(model, {column: row.pk}, events, live)
    days = {event.row["id"] for event in events if event.model is ItineraryDay} | {
        key for model, key in live if model is ItineraryDay
    }
    if days:
        _read(ItineraryDayTranslation, {"itinerary_day_id__in": days}, events, live)
    return events, live


def _read(
    model: type[Model], having: dict[str, Any], events: list[_Event], live: dict[tuple[type[Model], Any], Row]
) -> None:
    columns = columns_of(model)
    about = ("pgh_label", "pgh_created_at", "pgh_transaction", "pgh_context")
    for found in history_of(model).objects.filter(**having).order_by("-pgh_id").values(*columns, *about)[:MOST_EVENTS]:
        label, at, transaction, context = (found.pop(name) for name in about)
        events.append(_Event(model, label, at, transaction, context or {}, found))
    for present in model._default_manager.filter(**having).values(*columns):
        live[model, present["id"]] = present


def _with_following(
    events: list[_Event], live: dict[tuple[type[Model], Any], Row]
) -> Iterator[tuple[_Event, Row | None]]:
    """Yield each event with the row after it: the row before the next event, or the present one."""
    following: dict[tuple[type[Model], Any], Row | None] = dict(live)
    for event in events:  # of each table the latest first
        key = (event.model, event.row["id"])
        yield event, None if event.label == "delete" else event.row if event.label == "insert" else following.get(key)
        following[key] = event.before


def _differences(event: _Event, after: Row | None) -> Iterator[FieldChange]:
    before, either = event.before, event.before or after or {}
    where = "" if event.model in PARTS else f"{event.model._meta.verbose_name} {either.get(_NAMED_BY[event.model], '')}"
    for column in columns_of(event.model):
        old, new = (None if row is None else row.get(column) for row in (before, after))
        if old != new and column != "id" and column not in _OWNED_BY.get(event.model, ()):
            field = event.model._meta.get_field(column)
            yield FieldChange(where, str(getattr(field, "verbose_name", column)), old, new)
