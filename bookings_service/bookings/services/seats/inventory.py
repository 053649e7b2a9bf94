"""The seat counters of departures. Only this module writes them.

Each change locks the departure's row until the caller's transaction ends. `hold` and `sell_free` are one conditional
UPDATE each, with a CHECK constraint as the second guard. Booking and paying change the row last, because many
transactions wait for it.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F

from bookings_service.bookings.contracts import DepartureSnapshot, Seats
from bookings_service.bookings.domain.departure_change import Dates
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.refusals import CapacityBelowSold
from bookings_service.bookings.selectors import seats_refusal
from shared.errors import NotFound
from shared.statement import Statement

_HOLD: Final = Statement(
    bool,
    "UPDATE bookings_seatinventory SET held = held + %(seats)s, sequence = sequence + 1, dirty = true"
    " WHERE departure_id = %(departure_id)s AND NOT closed AND capacity >= held + sold + %(seats)s"
    " AND (%(starts_at)s::timestamptz IS NULL OR starts_at = %(starts_at)s::timestamptz"
    " AND coalesce(ends_at = %(ends_at)s::timestamptz, true)) RETURNING true",
)
# FOR SHARE: a move of the departure waits until the booking is committed, and then finds it.
_OPEN_AS_QUOTED: Final = Statement(
    bool,
    "SELECT true FROM bookings_seatinventory WHERE departure_id = %(departure_id)s AND NOT closed"
    " AND starts_at = %(starts_at)s AND coalesce(ends_at = %(ends_at)s, true) FOR SHARE",
)
_STORED: Final = Statement(
    DepartureSnapshot,
    "SELECT departure_id, version, capacity, closed, cancelled, starts_at, ends_at, rescheduled_at, change_reason"
    " FROM bookings_seatinventory WHERE departure_id = %(departure_id)s",
)
_CHANGED: Mapping[str, Any] = {"sequence": F("sequence") + 1, "dirty": True}


def hold(*, departure_id: UUID, seats: int, dates: Dates | None = None) -> None:
    """Move `seats` from free to held. With `dates`, do so only if the departure has these dates.

    Raises SeatsUnavailable, DepartureClosed or QuotedDatesChanged, and then nothing has changed.
    """
    starts_at, ends_at = dates or (None, None)
    if not _HOLD.first(departure_id=departure_id, seats=seats, starts_at=starts_at, ends_at=ends_at):
        raise seats_refusal(departure_id=departure_id, seats=seats, dates=dates)


def check_open(*, departure_id: UUID, dates: Dates) -> None:
    """Require that the departure takes bookings and has these dates, and keep it so until the transaction ends.

    Raises DepartureClosed, QuotedDatesChanged.
    """
    if not _OPEN_AS_QUOTED.first(departure_id=departure_id, starts_at=dates.starts_at, ends_at=dates.ends_at):
        raise seats_refusal(departure_id=departure_id, seats=0, dates=dates)


def sell_held(*, departure_id: UUID, seats: int) -> None:
    """Move `seats` from held to sold, because the booking that held them was paid."""
    _update(departure_id, held=F("held") - seats, sold=F("sold") + seats)


def sell_free(*, departure_id: UUID, seats: int, now: datetime) -> bool:
    """Move `seats` from free to sold, for a booking that was paid after its hold ended.

    Return False if too few are free, or if the departure has left. The departure may have been moved since the hold
    ended, so it is marked: the clock compares the booking's dates.
    """
    updated = SeatInventory.objects.filter(
        departure_id=departure_id, closed=False, starts_at__gt=now, capacity__gte=F("held") + F("sold") + seats
    ).update(sold=F("sold") + seats, moved=True, **_CHANGED)
    return bool(updated)


def give_back(*, departure_id: UUID, held: int, sold: int) -> None:
    """Move held and sold seats to free.

    Only `release` calls this, because free seats are offered to the waiting list immediately.
    """
    _update(departure_id, held=F("held") - held, sold=F("sold") - sold)


def set_counters(*, departure_id: UUID, held: int, sold: int, capacity: int) -> None:
    """Write counters that the caller has counted under the departure's lock."""
    _update(departure_id, held=held, sold=sold, capacity=capacity)


def _update(departure_id: UUID, **values: Any) -> None:
    if not SeatInventory.objects.filter(departure_id=departure_id).update(**values, **_CHANGED):
        # An error of the program: nothing commits.
        raise LookupError(f"departure {departure_id} has bookings but no row in SeatInventory")


def lock(*, departure_id: UUID) -> SeatInventory:
    """Lock the departure's inventory row.

    Only for code that also changes the waiting list, or that recounts the seats. Booking uses `hold()`.
    """
    return SeatInventory.objects.select_for_update().get(departure_id=departure_id)


def cancel(*, departure_id: UUID) -> None:
    """Mark the departure as cancelled and closed, for ever."""
    _update(departure_id, closed=True, cancelled=True)


def clear_moved(*, departure_id: UUID) -> None:
    """Clear the mark of a moved departure, because no live booking has other dates. The caller has locked its row."""
    SeatInventory.objects.filter(departure_id=departure_id).update(moved=False)


def store_snapshot(snapshot: DepartureSnapshot) -> bool:
    """Store the snapshot unless the stored version is newer. Return False if its capacity was too small.

    A capacity below held + sold is stored as held + sold: nobody loses a seat, and the caller raises the alarm. A
    departure with new dates is marked as moved.
    """
    stored = _STORED.first(departure_id=snapshot.departure_id)
    if stored is not None:
        snapshot = _still_cancelled(snapshot, stored)
        if stored.version > snapshot.version or stored == snapshot:
            return True
    SeatInventory.objects.bulk_create([SeatInventory(**dataclasses.asdict(snapshot))], ignore_conflicts=True)
    row = SeatInventory.objects.select_for_update().get(departure_id=snapshot.departure_id)
    if row.version > snapshot.version:
        return True
    row.moved = row.moved or (row.starts_at, row.ends_at) != (snapshot.starts_at, snapshot.ends_at)
    for name, value in dataclasses.asdict(_still_cancelled(snapshot, row)).items():
        setattr(row, name, value)
    row.capacity = max(snapshot.capacity, row.held + row.sold)
    row.dirty, row.sequence = True, row.sequence + 1
    row.save()
    return row.capacity == snapshot.capacity


def _still_cancelled(snapshot: DepartureSnapshot, stored: DepartureSnapshot | SeatInventory) -> DepartureSnapshot:
    """Return the snapshot as it can be stored: a cancelled departure stays cancelled and closed."""
    cancelled = stored.cancelled or snapshot.cancelled
    return dataclasses.replace(snapshot, cancelled=cancelled, closed=snapshot.closed or cancelled)


def store_capacity(*, departure_id: UUID, capacity: int, version: int) -> Seats:
    """Store a capacity that destinations_service is about to commit as `version`, unless the stored version is newer.

    Raises CapacityBelowSold with the held and sold seats, NotFound.
    """
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
