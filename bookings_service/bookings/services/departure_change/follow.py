"""Move the bookings of a departure that was moved.

`seats/inventory` marks the departure as moved in the transaction that stores its new dates. The clock moves the
bookings one by one, and clears the mark when no live booking has other dates.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bookings_service.bookings import events
from bookings_service.bookings.contracts import SYSTEM
from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.domain.departure_change import Dates, Move, MoveSize, move
from bookings_service.bookings.domain.waitlist import LIVE_ENTRY
from bookings_service.bookings.models import Booking, SeatInventory, WaitlistEntry
from bookings_service.bookings.services.booking.transition import save_with_history
from bookings_service.bookings.services.departure_change.agreed import agreed_dates
from bookings_service.bookings.services.job import Job, now_if_any
from bookings_service.bookings.services.seats import inventory
from shared.db import database_now
from shared.telemetry import bind_request


def move_bookings_of_moved_departures(*, limit: int = 50) -> int:
    """Give up to `limit` bookings of moved departures their new dates, and tell their travellers. Return their number.

    Each booking is its own transaction, so a batch that was interrupted continues with the next call.
    """
    moved = 0
    for departure in list(_moved()[:limit]):
        due = list(_to_move(departure).values_list("id", flat=True)[: limit - moved])
        moved += sum(_move(booking_id) for booking_id in due)
        if moved == limit:
            break
        _clear_mark(departure.departure_id)
    return moved


def _moved() -> QuerySet[SeatInventory]:
    return SeatInventory.objects.filter(moved=True, cancelled=False)


MOVE_BOOKINGS = Job(
    "move_bookings_of_moved_departures", move_bookings_of_moved_departures, lambda: now_if_any(_moved())
)  # fmt: skip


def _to_move(departure: SeatInventory) -> QuerySet[Booking]:
    """Return the live bookings that have other dates than the departure. Without a known end, there are none."""
    if departure.ends_at is None:
        return Booking.objects.none()
    live = Booking.objects.filter(departure_id=departure.departure_id, status__in=[Status.PENDING, Status.CONFIRMED])
    return live.exclude(starts_at=departure.starts_at, ends_at=departure.ends_at)


def _move(booking_id: UUID) -> bool:
    with bind_request(), transaction.atomic():  # each booking has a trace of its own
        now = database_now()
        booking = (
            Booking.objects.select_for_update(skip_locked=True)
            .filter(id=booking_id, status__in=[Status.PENDING, Status.CONFIRMED])
            .first()
        )
        if booking is None:
            return False
        departure = SeatInventory.objects.get(departure_id=booking.departure_id)
        present = Dates(booking.starts_at, booking.ends_at)
        if departure.cancelled or departure.ends_at is None:
            return False
        new = Dates(departure.starts_at, departure.ends_at)
        if new == present:
            return False
        change = move(
            agreed=agreed_dates(booking), present=present, new=new, at=now,
            small=settings.SMALL_MOVE, answer=settings.CHANGE_ANSWER,
        )  # fmt: skip
        booking.starts_at, booking.ends_at = new
        _record(booking, change, reason=departure.change_reason)
        event = events.departure_changed(change, reason=departure.change_reason)
        save_with_history(booking, event, actor=SYSTEM, now=now)
        return True


def _record(booking: Booking, change: Move, *, reason: str) -> None:
    """Keep the change in the booking. A booking with the agreed dates has no change."""
    at: datetime | None = change.at
    previous: tuple[datetime | None, datetime | None] = change.previous
    until: datetime | None = change.free_cancellation_until
    if change.size is MoveSize.BACK:
        at, previous, until, reason = None, (None, None), None, ""
    booking.changed_at, booking.change_reason, booking.change_accepted_at = at, reason, None
    booking.previous_starts_at, booking.previous_ends_at = previous
    booking.free_cancellation_until = until


def _clear_mark(departure_id: UUID) -> None:
    """Clear the mark, unless live bookings still have other dates. Entries of the waiting list get the new start too.

    The departure's lock is taken before the bookings are read. Without it, a move that is stored in between would lose
    its mark, and its bookings would keep the earlier dates.
    """
    with transaction.atomic():
        departure = inventory.lock(departure_id=departure_id)
        if _to_move(departure).exists():
            return
        waiting = WaitlistEntry.objects.filter(departure_id=departure_id, status__in=LIVE_ENTRY)
        waiting.exclude(starts_at=departure.starts_at).update(starts_at=departure.starts_at)
        inventory.clear_moved(departure_id=departure_id)
