"""Schedule and change departures. Each change takes the next version and is published.

People may have booked a departure. Then a change of its dates or prices needs a reason, which travellers read.
"""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from destinations_service.catalogue import events, upstream
from destinations_service.catalogue.contracts import DepartureChange, DepartureView
from destinations_service.catalogue.departure_rules import (
    DepartureExists,
    DepartureHasBookings,
    DepartureStarted,
    DepartureTerms,
    check_reason,
    check_terms,
    shown,
)
from destinations_service.catalogue.domain import DepartureFinal
from destinations_service.catalogue.models import Departure, DepartureStatus, Trip
from destinations_service.catalogue.place_rules import check_time_zone
from destinations_service.catalogue.selectors.trips import departures_by_id
from destinations_service.catalogue.services.capacity import agreed_cut
from destinations_service.catalogue.services.versions import check_version
from shared.db import database_now
from shared.errors import NotFound

_DATES: Final = frozenset({"starts_at", "ends_at"})
_CONFIRMED: Final = _DATES | {"adult_price", "child_price"}
_FIELDS: Final = tuple(field.name for field in fields(DepartureChange) if field.name != "reason")


def schedule_departure(
    *, trip_id: UUID, starts_at: datetime, ends_at: datetime, time_zone: str, capacity: int,
    adult_price: Decimal, child_price: Decimal,
) -> DepartureView:  # fmt: skip
    """Add a departure to a trip and publish it.

    Raises NotFound, Invalid naming the field, DepartureExists if the trip already has a departure at that time.
    """
    with transaction.atomic():
        trip = Trip.objects.filter(id=trip_id).first()
        if trip is None:
            raise NotFound
        check_time_zone(time_zone)
        departure = Departure(
            trip=trip, starts_at=starts_at, ends_at=ends_at, time_zone=time_zone, capacity=capacity,
            adult_price=adult_price, child_price=child_price,
        )  # fmt: skip
        check_terms(_terms(departure), changed=frozenset(_FIELDS), now=database_now())
        _save(departure, force_insert=True)
        events.publish_departure(departure, events.scheduled(departure))
        return departures_by_id(ids=[departure.id])[0]


def change_departure(
    *, departure_id: UUID, change: DepartureChange, seen: Collection[int] | None = None
) -> DepartureView:
    """Apply `change` as the next version and publish it. If nothing differs, write and publish nothing.

    The change is checked first. Then bookings_service is asked: whom a change of dates or prices affects, and whether a
    lower capacity fits. Call it outside a transaction: a lower capacity needs a commit before it is asked for.

    Raises NotFound, StaleVersion unless the version is one of `seen`, DepartureFinal, DepartureStarted, Invalid naming
    the field, DepartureHasBookings if people are affected and the change has no reason, DepartureExists,
    CapacityBelowSold with both numbers, Unavailable.
    """
    departure = Departure.objects.select_related("trip").filter(id=departure_id).first()
    if departure is None:
        raise NotFound
    wanted = {name: value for name in _FIELDS if (value := getattr(change, name)) is not None}
    before = departure.version
    changed = _checked(departure, wanted, seen=seen)
    reason = check_reason(change.reason) if change.reason else ""
    if changed & _CONFIRMED and not reason:
        _refuse_if_booked(departure_id)
    is_cut = "capacity" in changed and wanted["capacity"] < departure.capacity
    with agreed_cut(departure, capacity=wanted["capacity"]) if is_cut else nullcontext():
        return _commit(departure_id, wanted, reason=reason, seen={before} if is_cut else seen)


def _commit(
    departure_id: UUID, wanted: Mapping[str, Any], *, reason: str, seen: Collection[int] | None
) -> DepartureView:
    with transaction.atomic():
        departure = (
            Departure.objects.select_for_update(of=("self",)).select_related("trip").filter(id=departure_id).first()
        )
        if departure is None:
            raise NotFound
        changed = _checked(departure, wanted, seen=seen)
        for name in changed:
            setattr(departure, name, wanted[name])
        if changed:
            departure.version += 1
            departure.cut_asked_at = None
            if changed & _DATES:
                departure.rescheduled_at, departure.change_reason = database_now(), reason
            _save(departure)
            cancelled = departure.status == DepartureStatus.CANCELLED
            events.publish_departure(departure, (events.cancelled if cancelled else events.changed)(departure))
        return departures_by_id(ids=[departure.id])[0]


def _checked(departure: Departure, wanted: Mapping[str, Any], *, seen: Collection[int] | None) -> frozenset[str]:
    """Return the fields that `wanted` changes, if the departure may change so. Raises as `change_departure` does."""
    check_version(departure, seen)
    if departure.status == DepartureStatus.CANCELLED:
        raise DepartureFinal
    changed = frozenset(name for name, value in wanted.items() if getattr(departure, name) != value)
    now = database_now()
    if changed & _CONFIRMED and departure.starts_at <= now:
        raise DepartureStarted(start=shown(departure.starts_at), field="startsAt")
    check_terms(_terms(departure, **wanted), changed=changed, now=now)
    return changed


def _refuse_if_booked(departure_id: UUID) -> None:
    affected = upstream.count_bookings(departure_id=departure_id)
    if affected.bookings:
        raise DepartureHasBookings(bookings=affected.bookings, passengers=affected.passengers, field="reason")


def _terms(departure: Departure, **wanted: Any) -> DepartureTerms:
    """Return the terms of the departure with the values that are `wanted`."""
    values = {name: wanted.get(name, getattr(departure, name)) for name in _FIELDS}
    return DepartureTerms(
        **values,
        time_zone=departure.time_zone,
        currency=departure.trip.currency,
        duration_days=departure.trip.duration_days,
    )


def _save(departure: Departure, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            departure.save(force_insert=force_insert)
    except IntegrityError:
        raise DepartureExists(start=shown(departure.starts_at), field="startsAt") from None
