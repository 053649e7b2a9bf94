"""Restore a place or a trip as it was before a change, by the rules of any other write."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction

from destinations_service.catalogue.models import (
    AveragePrice,
    CancellationRule,
    Destination,
    DestinationTranslation,
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    Photo,
    Trip,
    TripTranslation,
)
from destinations_service.catalogue.selectors.history import Row, state_before
from destinations_service.catalogue.services.places import invalid, lock_place, locked, record_change, write_place
from destinations_service.catalogue.services.slugs import keep_addresses
from destinations_service.catalogue.services.trips import record_trip_change
from destinations_service.catalogue.services.versions import check_version
from shared.errors import Conflict, Invalid, NotFound
from shared.text import Text

# The parts, what must exist first. The columns are unique within the place or trip: a row that was deleted and written
# again has another key, and is found by them.
_PARTS: Final[dict[type[models.Model], tuple[str, ...]]] = {
    DestinationTranslation: ("destination_id", "language"),
    AveragePrice: ("destination_id", "category"),
    OpeningHours: ("destination_id", "weekday", "opens"),
    Photo: (),
    TripTranslation: ("trip_id", "language"),
    CancellationRule: ("trip_id", "days_before"),
    ItineraryDay: ("trip_id", "day"),
    ItineraryDayTranslation: ("itinerary_day_id", "language"),
}
_CURRENCY: Final = Text(
    en="Its departures are priced in {now}: it cannot go back to {then}. Change the other fields by hand.",
    fr="Ses départs ont leurs prix en {now} : il ne peut revenir à {then}. Modifiez les autres champs à la main.",
)


class NothingToRestore(Conflict):
    """What is stored is what was before the change, or the history does not know the change."""

    code = "NOTHING_TO_RESTORE"
    text = Text(
        en="There is nothing to restore: everything already is as it was before this change.",
        fr="Il n’y a rien à rétablir : tout est déjà comme avant cette modification.",
    )


def restore_destination(*, destination_id: UUID, before: int, seen: Collection[int] | None = None) -> None:
    """Make a place as it was before the transaction `before`, as its next version, and publish it.

    A photo that was removed since stays removed, because its file is gone. Raises NotFound, StaleVersion, Invalid
    naming the field, SlugTaken, SlugLeadsElsewhere, NothingToRestore.
    """
    with transaction.atomic():
        place = Destination.objects.filter(id=destination_id).first()
        if place is None:
            raise NotFound
        state = state_before(place, transaction=before)
        former = (state or {}).get(Destination, {}).get(destination_id)
        wanted = {name: former[name] for name in ("kind", "parent_id", "country_code")} if former else {}
        lock_place(destination_id, wanted=wanted)
        place = locked(destination_id, seen=seen)
        changed = _set(place, former)
        write_place(place)
        if not _restore_parts(state) and not changed:
            raise NothingToRestore
        record_change(place)


def restore_trip(*, trip_id: UUID, before: int, seen: Collection[int] | None = None) -> None:
    """Make a trip as it was before the transaction `before`, as its next version, and publish it.

    Raises NotFound, StaleVersion, Invalid naming the field, SlugLeadsElsewhere, NothingToRestore.
    """
    with transaction.atomic():
        trip = Trip.objects.select_for_update().filter(id=trip_id).first()
        if trip is None:
            raise NotFound
        check_version(trip, seen)
        state = state_before(trip, transaction=before)
        slug, currency = trip.slug, trip.currency
        changed = _set(trip, (state or {}).get(Trip, {}).get(trip_id))
        if trip.currency != currency and trip.departures.exists():
            raise Invalid(field="currency", text=_CURRENCY, now=currency, then=trip.currency)
        _save(trip)
        keep_addresses(trip, former=slug)
        if not _restore_parts(state) and not changed:
            raise NothingToRestore
        record_trip_change(trip)


def _restore_parts(state: dict[type[models.Model], dict[Any, Row | None]] | None) -> bool:
    """Write the parts as `state` says, those that did not exist first. Return whether anything was written."""
    written = False
    for model in reversed(_PARTS):
        gone = [key for key, row in (state or {}).get(model, {}).items() if row is None]
        written |= bool(model._default_manager.filter(pk__in=gone).delete()[0])
    for model, unique in _PARTS.items():
        for key, row in (state or {}).get(model, {}).items():
            if row is not None:
                written |= _restore(model, unique, key, row)
    return written


def _restore(model: type[models.Model], unique: tuple[str, ...], key: Any, row: Row) -> bool:
    present = model._default_manager.filter(pk=key).first()
    if present is None and unique:
        present = model._default_manager.filter(**{name: row[name] for name in unique}).first() or model(pk=key)
    if present is None:
        return False
    changed = _set(present, {name: value for name, value in row.items() if name != "id"})
    if changed:
        _save(present)
    return changed


def _set(row: models.Model, former: Row | None) -> bool:
    """Give `row` its former values. Return whether one of them differs."""
    changed = False
    for name, value in (former or {}).items():
        changed |= getattr(row, name) != value
        setattr(row, name, value)
    return changed


def _save(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise invalid(error) from error
    row.save()
