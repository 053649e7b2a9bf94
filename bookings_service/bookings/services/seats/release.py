"""Give seats back. In the same transaction they are offered to the waiting list, so nobody else can take them first.

Locks are taken in this order: the departure's inventory row, then entries of its waiting list.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from bookings_service.bookings import events
from bookings_service.bookings.domain.booking import WaitlistAction, WaitlistStatus, next_waitlist_status
from bookings_service.bookings.models import WaitlistEntry
from bookings_service.bookings.services.seats import inventory
from shared.outbox import publish


def release(*, departure_id: UUID, now: datetime, held: int = 0, sold: int = 0) -> None:
    """Give `held` and `sold` seats back, and offer what is free to the waiting list.

    This is the only way to give seats back. It leaves the inventory row locked until the caller's transaction ends.
    """
    inventory.give_back(departure_id=departure_id, held=held, sold=sold)
    offer_free_seats(departure_id=departure_id, now=now)


def offer_free_seats(*, departure_id: UUID, now: datetime) -> int:
    """Hold the departure's free seats for the first waiting entries whose seats fit, and publish the offers. Return their number.

    An entry that needs more seats than are free is passed over and keeps its place. Call this after the capacity has changed; `release`
    calls it for seats that are given back.
    """
    waiting = WaitlistEntry.objects.filter(departure_id=departure_id, status=WaitlistStatus.WAITING)
    if not waiting.exists():
        return 0
    row = inventory.lock(departure_id=departure_id)
    until = min(now + settings.WAITLIST_OFFER, row.starts_at - settings.BOOKING_CLOSES)
    free_seats = row.free_seats
    offers = 0
    while not row.closed and until > now and free_seats > 0:
        entry = waiting.select_for_update().filter(seats__lte=free_seats).order_by("joined_at", "id").first()
        if entry is None:
            break
        inventory.hold(departure_id=departure_id, seats=entry.seats)
        free_seats -= entry.seats
        move_entry(entry, WaitlistAction.OFFER, offered_until=until)
        publish(
            events.waitlist_offered(entry), aggregate_id=entry.id, sequence=entry.sequence, occurred_at=now
        )  # fmt: skip
        offers += 1
    return offers


def move_entry(entry: WaitlistEntry, action: WaitlistAction, *, offered_until: datetime | None = None) -> None:
    """Move a locked entry of the waiting list by `action`, and save it with its next sequence number. Raises IllegalTransition."""
    entry.status = next_waitlist_status(WaitlistStatus(entry.status), action)
    entry.offered_until = offered_until
    entry.sequence += 1
    entry.save()
