"""The line for a full departure: joining it, leaving it, and offers that nobody answered."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from bookings_service.bookings import events, selectors, upstream
from bookings_service.bookings.contracts import WaitlistView
from bookings_service.bookings.domain.booking import LIVE_ENTRY, MOST_PASSENGERS, WaitlistAction, WaitlistStatus
from bookings_service.bookings.models import Quote, SeatInventory, WaitlistEntry
from bookings_service.bookings.refusals import DepartureClosed, InvalidPassengers, SeatsAvailable
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.waitlist import offers
from shared.auth import Traveller
from shared.db import database_now
from shared.deadline import Deadline
from shared.errors import NotFound


def join_waitlist(*, departure_id: UUID, seats: int, traveller: Traveller, deadline: Deadline) -> WaitlistView:
    """Put the traveller's group in the line for a departure that has not enough seats for it; asked again, it answers with the entry.

    A live entry of another size is changed: a smaller group keeps its place, a larger one goes to the end. One that has an offer stays
    as it is.

    Raises InvalidPassengers, NotFound, DepartureClosed, SeatsAvailable, Unavailable, DeadlineExceeded.
    """
    if not 0 < seats <= MOST_PASSENGERS:
        raise InvalidPassengers(field="seats")
    offered = upstream.departure(departure_id=departure_id, deadline=deadline)
    with transaction.atomic():
        now = database_now()
        inventory.learn(offered.snapshot())
        row = inventory.lock(departure_id=departure_id)  # nobody frees seats unseen
        if row.closed or row.starts_at - settings.BOOKING_CLOSES <= now:
            raise DepartureClosed
        own = WaitlistEntry.objects.select_for_update().filter(
            traveller_id=traveller.id, departure_id=departure_id, status__in=LIVE_ENTRY
        )
        entry = own.first()
        if entry is not None and (entry.status == WaitlistStatus.OFFERED or entry.seats == seats):
            return selectors.waitlist_view(entry)
        if row.capacity - row.held - row.sold >= seats:
            raise SeatsAvailable
        if entry is None:
            entry = WaitlistEntry(
                traveller_id=traveller.id, departure_id=departure_id, status=WaitlistStatus.WAITING,
                title_en=offered.title.en, title_fr=offered.title.fr, starts_at=offered.starts_at,
                time_zone=offered.time_zone, created_at=now, joined_at=now,
            )  # fmt: skip
        elif seats > entry.seats:
            entry.joined_at = now
        entry.seats = seats
        entry.save()
        return selectors.waitlist_view(entry)


def leave_waitlist(*, entry_id: UUID, traveller: Traveller) -> None:
    """Take the traveller's group out of the line; what was offered to it goes to the next. Out already, it stays out. Raises NotFound."""
    with transaction.atomic():
        now = database_now()
        own = WaitlistEntry.objects.filter(id=entry_id, traveller_id=traveller.id)
        found = own.first()
        if found is None:
            raise NotFound
        inventory.lock(departure_id=found.departure_id)
        entry = own.select_for_update().get()
        if entry.status not in LIVE_ENTRY:
            return
        was_offered = entry.status == WaitlistStatus.OFFERED
        offers.move(entry, WaitlistAction.LEAVE)
        if was_offered:
            inventory.release_held(departure_id=entry.departure_id, seats=entry.seats)
            offers.offer_free_seats(departure_id=entry.departure_id, now=now)


def expire_offers(*, limit: int = 100) -> int:
    """End up to `limit` offers whose time has come, and entries of departures that can no longer be booked; return how many were due."""
    now = database_now()
    gone = SeatInventory.objects.filter(Q(cancelled=True) | Q(starts_at__lte=now + settings.BOOKING_CLOSES))
    due = WaitlistEntry.objects.filter(
        Q(status=WaitlistStatus.OFFERED, offered_until__lte=now)
        | Q(status__in=LIVE_ENTRY, departure_id__in=gone.values("departure_id"))
    ).order_by("offered_until")
    ids = list(due.values_list("id", "departure_id")[:limit])
    for entry_id, departure_id in ids:
        _expire_offer(entry_id, departure_id)
    return len(ids)


def _expire_offer(entry_id: UUID, departure_id: UUID) -> None:
    with transaction.atomic():
        row = inventory.lock(departure_id=departure_id)
        now = database_now()
        entry = WaitlistEntry.objects.select_for_update().get(id=entry_id)
        is_gone = row.cancelled or row.starts_at <= now + settings.BOOKING_CLOSES
        is_over = entry.offered_until is not None and entry.offered_until <= now
        if entry.status not in LIVE_ENTRY or not (is_gone or is_over):
            return  # another clock was here, or the offer was taken
        if entry.status == WaitlistStatus.OFFERED:
            inventory.release_held(departure_id=departure_id, seats=entry.seats)
        reason = events.DEPARTURE_CLOSED if is_gone else events.UNANSWERED
        offers.end(entry, reason=reason, now=now)
        offers.offer_free_seats(departure_id=departure_id, now=now)


def expire_taken_offers(*, limit: int = 100) -> int:
    """Let go of the seats of up to `limit` quotes that took an offer and were not booked in their time; return how many were due."""
    done = 0
    while done < limit and _expire_next_quote():
        done += 1
    return done


def _expire_next_quote() -> bool:
    with transaction.atomic():
        now = database_now()
        quote = (
            Quote.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(held_seats__gt=0, expires_at__lte=now)
            .order_by("expires_at")
            .first()
        )
        if quote is None:
            return False
        seats, quote.held_seats = quote.held_seats, 0
        quote.save(update_fields=["held_seats"])
        inventory.release_held(departure_id=quote.departure_id, seats=seats)
        entry = WaitlistEntry.objects.select_for_update().get(quotes=quote)
        offers.end(entry, reason=events.UNANSWERED, now=now)
        offers.offer_free_seats(departure_id=quote.departure_id, now=now)
        return True


def offer_to_waiting(*, limit: int = 50) -> int:
    """Offer what is free on up to `limit` departures to whoever waits for it; return how many groups got an offer.

    Those who free seats do this themselves; this sweep finds what they forgot.
    """
    now = database_now()
    fits = SeatInventory.objects.filter(
        closed=False, starts_at__gt=now + settings.BOOKING_CLOSES,
        departure_id__in=WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING).values("departure_id"),
    ).annotate(free=F("capacity") - F("held") - F("sold"))  # fmt: skip
    done = 0
    for departure_id, free in list(fits.filter(free__gt=0).values_list("departure_id", "free")[:limit]):
        if WaitlistEntry.objects.filter(
            departure_id=departure_id, status=WaitlistStatus.WAITING, seats__lte=free
        ).exists():
            with transaction.atomic():
                done += offers.offer_free_seats(departure_id=departure_id, now=database_now())
    return done
