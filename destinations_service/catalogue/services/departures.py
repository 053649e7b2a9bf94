"""Change departures.

Each change takes the next version and is published. bookings_service agrees to a lower capacity first.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from destinations_service.catalogue import events, upstream
from destinations_service.catalogue.contracts import DepartureChange, DepartureView
from destinations_service.catalogue.domain import DepartureFinal, InUse
from destinations_service.catalogue.models import Departure, DepartureStatus, Trip
from destinations_service.catalogue.selectors.trips import departures_by_id
from shared.errors import Invalid, NotFound


def schedule_departure(
    *, trip_id: UUID, starts_at: datetime, ends_at: datetime, time_zone: str, capacity: int,
    adult_price: Decimal, child_price: Decimal,
) -> DepartureView:  # fmt: skip
    """Add a departure to a trip and publish it.

    Raises NotFound, Invalid naming the field, InUse if the trip already has a departure at that time.
    """
    with transaction.atomic():
        trip = Trip.objects.filter(id=trip_id).first()
        if trip is None:
            raise NotFound
        departure = Departure(
            trip=trip, starts_at=starts_at, ends_at=ends_at, time_zone=time_zone, capacity=capacity,
            adult_price=adult_price, child_price=child_price,
        )  # fmt: skip
        _check(departure)
        try:
            with transaction.atomic():
                departure.save(force_insert=True)
        except IntegrityError:
            raise InUse(field="startsAt") from None
        events.publish_departure(departure, events.scheduled(departure))
        return departures_by_id(ids=[departure.id])[0]


def change_departure(*, departure_id: UUID, change: DepartureChange) -> DepartureView:
    """Apply `change` as the next version and publish it. If nothing differs, write and publish nothing.

    bookings_service must agree to a lower capacity first. Raises NotFound, DepartureFinal, CapacityBelowSold (with both
    numbers), Invalid, Unavailable.
    """
    wanted = {
        name: value
        for name in ("capacity", "status", "adult_price", "child_price", "starts_at", "ends_at")
        if (value := getattr(change, name)) is not None
    }
    _agree_on_lower_capacity(departure_id, wanted)
    with transaction.atomic():
        departure = (
            Departure.objects.select_for_update(of=("self",)).select_related("trip").filter(id=departure_id).first()
        )
        if departure is None:
            raise NotFound
        if departure.status == DepartureStatus.CANCELLED:
            raise DepartureFinal
        changed = [name for name, value in wanted.items() if getattr(departure, name) != value]
        for name in changed:
            setattr(departure, name, wanted[name])
        if changed:
            _check(departure)
            departure.version += 1
            departure.save()
            cancelled = departure.status == DepartureStatus.CANCELLED
            events.publish_departure(departure, (events.cancelled if cancelled else events.changed)(departure))
        return departures_by_id(ids=[departure.id])[0]


def _agree_on_lower_capacity(departure_id: UUID, wanted: dict[str, object]) -> None:
    """Ask bookings_service to apply a lower capacity. Call it outside a transaction, because it is an RPC.

    The request carries the version that the change will have.
    """
    current = Departure.objects.filter(id=departure_id).first()
    capacity = wanted.get("capacity")
    if current is not None and isinstance(capacity, int) and capacity < current.capacity:
        upstream.set_capacity(departure_id=departure_id, capacity=capacity, version=current.version + 1)


def _check(departure: Departure) -> None:
    """Raise Invalid, naming the field, for values that the table's constraints refuse."""
    if departure.ends_at <= departure.starts_at:
        raise Invalid(field="endsAt")
    if departure.adult_price <= 0 or departure.child_price < 0:
        raise Invalid(field="adultPrice" if departure.adult_price <= 0 else "childPrice")
    if not 0 <= departure.capacity <= 10_000:
        raise Invalid(field="capacity")
    if departure.status not in DepartureStatus.values:
        raise Invalid(field="status")
