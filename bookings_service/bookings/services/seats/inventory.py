"""Taking seats and giving them back: each one conditional UPDATE, last before the caller's commit.

The row's lock is taken and released with the caller's transaction; the CHECK constraints stand behind every filter.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import F

from bookings_service.bookings.contracts import DepartureSnapshot, Seats
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.refusals import CapacityBelowSold, DepartureClosed, SeatsUnavailable
from shared.errors import DomainError, NotFound

_TOLD: Mapping[str, Any] = {"sequence": F("sequence") + 1, "dirty": True}


def hold(*, departure_id: UUID, seats: int) -> None:
    """Move `seats` from free to held, or raise SeatsUnavailable or DepartureClosed and change nothing."""
    updated = SeatInventory.objects.filter(
        departure_id=departure_id, closed=False, capacity__gte=F("held") + F("sold") + seats
    ).update(held=F("held") + seats, **_TOLD)
    if not updated:
        raise why_not(departure_id=departure_id, seats=seats)


def check_open(*, departure_id: UUID) -> None:
    """Raise DepartureClosed where the departure takes no bookings."""
    if not SeatInventory.objects.filter(departure_id=departure_id, closed=False).exists():
        raise DepartureClosed


def check_free(*, departure_id: UUID, seats: int) -> None:
    """Raise what `hold` would where the seats are clearly gone, without a lock: it spares the crowd at a sold-out departure the work.

    Passing it promises nothing.
    """
    room = SeatInventory.objects.filter(
        departure_id=departure_id, closed=False, capacity__gte=F("held") + F("sold") + seats
    )
    if not room.exists():
        raise why_not(departure_id=departure_id, seats=seats)


def sell_held(*, departure_id: UUID, seats: int) -> None:
    """Move `seats` from held to sold: the booking that held them was paid."""
    _move(departure_id, held=F("held") - seats, sold=F("sold") + seats)


def sell_free(*, departure_id: UUID, seats: int) -> bool:
    """Move `seats` from free to sold for a booking paid after its hold had ended; return False, changing nothing, where they are gone."""
    updated = SeatInventory.objects.filter(
        departure_id=departure_id, closed=False, capacity__gte=F("held") + F("sold") + seats
    ).update(sold=F("sold") + seats, **_TOLD)
    return bool(updated)


def give_back(*, departure_id: UUID, held: int, sold: int) -> None:
    """Move held and sold seats to free. Only `release` calls this, because free seats are offered to the waiting list at once."""
    _move(departure_id, held=F("held") - held, sold=F("sold") - sold)


def set_counters(*, departure_id: UUID, held: int, sold: int, capacity: int) -> None:
    """Write the counters anew, as counted under the departure's lock."""
    _move(departure_id, held=held, sold=sold, capacity=capacity)


def _move(departure_id: UUID, **counters: Any) -> None:
    if not SeatInventory.objects.filter(departure_id=departure_id).update(**counters, **_TOLD):
        raise LookupError(
            f"departure {departure_id} has bookings and no seats"
        )  # an error of the program: nothing commits


def lock(*, departure_id: UUID) -> SeatInventory:
    """Lock the departure's seats until the caller's transaction ends: for what touches the line too, and nothing in a hurry."""
    return SeatInventory.objects.select_for_update().get(departure_id=departure_id)


def free_seats(*, departure_id: UUID, wanted: int) -> int:
    """Return the free seats to report after `wanted` were refused: at most `wanted` − 1."""
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    return 0 if row is None else min(max(0, row.capacity - row.held - row.sold), wanted - 1)


def why_not(*, departure_id: UUID, seats: int) -> DomainError:
    """Return the refusal that fits: closed, or too few seats with how many are left. Read after the fact, it only explains."""
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    if row is None or row.closed:
        return DepartureClosed()
    return SeatsUnavailable(seatsLeft=free_seats(departure_id=departure_id, wanted=seats))


def cancel(*, departure_id: UUID) -> None:
    """Close the departure for good: it will not leave."""
    _move(departure_id, closed=True, cancelled=True)


def seats_of(*, departure_id: UUID) -> Seats:
    """Return the counters. Raises NotFound for a departure never heard of."""
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    if row is None:
        raise NotFound
    return Seats(capacity=row.capacity, held=row.held, sold=row.sold)


def learn(snapshot: DepartureSnapshot) -> bool:
    """Take over what is newer of a departure, whichever way the news came; return False where a cut did not fit.

    Applied where its version is not older than what is stored. A capacity below held + sold becomes held + sold: nobody loses a seat, and
    the caller raises the alarm.
    """
    wanted = dataclasses.asdict(snapshot)
    row = SeatInventory.objects.filter(departure_id=snapshot.departure_id).first()
    if row is not None:
        wanted |= _for_good(row, snapshot)
        if row.version > snapshot.version or all(getattr(row, name) == value for name, value in wanted.items()):
            return True
    SeatInventory.objects.bulk_create([SeatInventory(**wanted)], ignore_conflicts=True)
    row = SeatInventory.objects.select_for_update().get(departure_id=snapshot.departure_id)
    if row.version > snapshot.version:
        return True
    wanted |= _for_good(row, snapshot)
    for name, value in wanted.items():
        setattr(row, name, value)
    row.capacity = max(snapshot.capacity, row.held + row.sold)
    row.dirty, row.sequence = True, row.sequence + 1
    row.save()
    return row.capacity == snapshot.capacity


def _for_good(row: SeatInventory, snapshot: DepartureSnapshot) -> dict[str, bool]:
    """Return what stays so whatever the news: a cancelled departure does not come back."""
    cancelled = row.cancelled or snapshot.cancelled
    return {"cancelled": cancelled, "closed": snapshot.closed or cancelled}


def set_capacity(*, departure_id: UUID, capacity: int, version: int) -> Seats:
    """Apply a new capacity that destinations is about to commit as `version`. Raises CapacityBelowSold with both numbers, NotFound."""
    row = SeatInventory.objects.select_for_update().filter(departure_id=departure_id).first()
    if row is None:
        raise NotFound
    if version >= row.version:
        if capacity < row.held + row.sold:
            raise CapacityBelowSold(held=row.held, sold=row.sold, field="capacity")
        row.capacity, row.version = capacity, version
        row.dirty, row.sequence = True, row.sequence + 1
        row.save()
    return Seats(capacity=row.capacity, held=row.held, sold=row.sold)
