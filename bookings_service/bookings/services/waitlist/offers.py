"""Offering seats to the line for a full departure. Whoever frees seats calls `offer_free_seats` before the same commit.

So freed seats are never seen by anybody else while a group that fits them waits. Locks: inventory first, then the entries.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from bookings_service.bookings import events
from bookings_service.bookings.domain.booking import WaitlistAction, WaitlistStatus, next_waitlist_status
from bookings_service.bookings.models import Quote, WaitlistEntry
from bookings_service.bookings.refusals import InvalidPassengers, SeatsUnavailable
from bookings_service.bookings.services.seats import inventory
from contracts.travel.events.v1 import bookings_pb2 as pb
from shared.errors import NotFound
from shared.outbox import publish


def offer_free_seats(*, departure_id: UUID, now: datetime) -> int:
    """Hold the departure's free seats for the first groups in line whose seats fit, and tell them; return how many groups.

    A group that is too large for what is free is passed over and keeps its place.
    """
    line = WaitlistEntry.objects.filter(departure_id=departure_id, status=WaitlistStatus.WAITING)
    if not line.exists():
        return 0
    row = inventory.lock(departure_id=departure_id)
    until = min(now + settings.WAITLIST_OFFER, row.starts_at - settings.BOOKING_CLOSES)
    free = row.capacity - row.held - row.sold
    offered = 0
    while not row.closed and until > now and free > 0:
        entry = line.select_for_update().filter(seats__lte=free).order_by("joined_at", "id").first()
        if entry is None:
            break
        inventory.hold(departure_id=departure_id, seats=entry.seats)
        free -= entry.seats
        move(entry, WaitlistAction.OFFER, offered_until=until)
        publish(
            events.waitlist_offered(entry), aggregate_id=entry.id, sequence=entry.sequence, occurred_at=now
        )  # fmt: skip
        offered += 1
    return offered


def take(*, entry_id: UUID, traveller_id: UUID, departure_id: UUID, seats: int, now: datetime) -> WaitlistEntry:
    """Have a quote take the seats offered to the traveller's entry; those it does not need go to the next in line.

    Raises NotFound where the entry is not the traveller's or of another departure, InvalidPassengers for more people than seats were
    offered, SeatsUnavailable where nothing is offered (any more).
    """
    own = WaitlistEntry.objects.filter(id=entry_id, traveller_id=traveller_id, departure_id=departure_id)
    if not own.exists():
        raise NotFound
    inventory.lock(departure_id=departure_id)
    entry = own.select_for_update().get()
    if seats > entry.seats:
        raise InvalidPassengers(field="adults")
    if not _still_open(entry, now):
        raise SeatsUnavailable(seatsLeft=inventory.left(departure_id=departure_id, below=seats))
    surplus, entry.seats = entry.seats - seats, seats
    move(entry, WaitlistAction.TAKE)
    if surplus:
        inventory.release_held(departure_id=departure_id, seats=surplus)
        offer_free_seats(departure_id=departure_id, now=now)
    return entry


def _still_open(entry: WaitlistEntry, now: datetime) -> bool:
    return entry.offered_until is not None and entry.offered_until > now


def retake(quote: Quote, *, seats: int, now: datetime) -> datetime:
    """Let go of an unbooked quote's seats, under its lock, for another quote of the same offer; return until when that may hold them.

    Raises InvalidPassengers for more people than the seats it holds.
    """
    if seats > quote.held_seats:
        raise InvalidPassengers(field="adults")
    surplus, until = quote.held_seats - seats, quote.expires_at
    quote.held_seats, quote.expires_at = 0, now
    quote.save(update_fields=["held_seats", "expires_at"])
    if surplus:
        inventory.release_held(departure_id=quote.departure_id, seats=surplus)
        offer_free_seats(departure_id=quote.departure_id, now=now)
    return until


def end(entry: WaitlistEntry, *, reason: "pb.WaitlistExpiryReason.ValueType", now: datetime) -> None:
    """Move a locked entry to EXPIRED and tell its group. What it held is let go by the caller, who holds the inventory's lock."""
    move(entry, WaitlistAction.EXPIRE)
    publish(
        events.waitlist_expired(entry, reason), aggregate_id=entry.id, sequence=entry.sequence, occurred_at=now
    )  # fmt: skip


def move(entry: WaitlistEntry, action: WaitlistAction, *, offered_until: datetime | None = None) -> None:
    """Move a locked entry along its table. Raises IllegalTransition."""
    entry.status = next_waitlist_status(WaitlistStatus(entry.status), action)
    entry.offered_until = offered_until
    entry.sequence += 1
    entry.save()
