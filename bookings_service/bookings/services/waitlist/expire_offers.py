"""Expire offers that were not answered or not booked, and entries of departures that can no longer be booked."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bookings_service.bookings import events
from bookings_service.bookings.domain.waitlist import LIVE_ENTRY, WaitlistAction, WaitlistStatus
from bookings_service.bookings.models import Quote, SeatInventory, WaitlistEntry
from bookings_service.bookings.services.job import Instant, Job, earliest, now_if_any
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.release import release
from bookings_service.bookings.services.seats.waitlist_status import change_entry_status
from contracts.travel.events.v1 import bookings_pb2 as pb
from shared.db import database_now
from shared.outbox import publish
from shared.telemetry import bind_request


def expire_offers(*, limit: int = 100) -> int:
    """Expire up to `limit` offers that have ended, and entries of departures that can no longer be booked.

    Return their number.
    """
    now = database_now()
    due = _offers().filter(offered_until__lte=now) | _unbookable(now)
    ids = list(due.order_by("offered_until").values_list("id", "departure_id")[:limit])
    for entry_id, departure_id in ids:
        _expire_offer(entry_id, departure_id)
    return len(ids)


def _offers() -> QuerySet[WaitlistEntry]:
    return WaitlistEntry.objects.filter(status=WaitlistStatus.OFFERED)


def _unbookable(now: Instant) -> QuerySet[WaitlistEntry]:
    """Return the live entries of departures that can no longer be booked."""
    closing = SeatInventory.objects.filter(Q(cancelled=True) | Q(starts_at__lte=now + settings.BOOKING_CLOSES))
    return WaitlistEntry.objects.filter(status__in=LIVE_ENTRY, departure_id__in=closing.values("departure_id"))


EXPIRE_OFFERS = Job(
    "expire_offers",
    expire_offers,
    lambda: earliest(_offers(), "offered_until").union(now_if_any(_unbookable(Now())), all=True),
)


def _expire_offer(entry_id: UUID, departure_id: UUID) -> None:
    with transaction.atomic():
        row = inventory.lock(departure_id=departure_id)
        now = database_now()
        entry = WaitlistEntry.objects.select_for_update().get(id=entry_id)
        is_unbookable = row.cancelled or row.starts_at <= now + settings.BOOKING_CLOSES
        is_over = entry.offered_until is not None and entry.offered_until <= now
        if entry.status not in LIVE_ENTRY or not (is_unbookable or is_over):
            return  # another clock has expired it, or its offer was taken
        was_offered = entry.status == WaitlistStatus.OFFERED
        _expire(entry, reason=events.DEPARTURE_CLOSED if is_unbookable else events.UNANSWERED, now=now)
        if was_offered:
            release(departure_id=departure_id, held=entry.seats, now=now)


def expire_taken_offers(*, limit: int = 100) -> int:
    """Release the seats of up to `limit` expired quotes that took an offer and were not booked. Return their number."""
    done = 0
    while done < limit and _expire_next_quote():
        done += 1
    return done


def _holding_quotes() -> QuerySet[Quote]:
    return Quote.objects.filter(held_seats__gt=0)


EXPIRE_TAKEN_OFFERS = Job("expire_taken_offers", expire_taken_offers, lambda: earliest(_holding_quotes(), "expires_at"))


def _expire_next_quote() -> bool:
    with transaction.atomic():
        now = database_now()
        quote = (
            _holding_quotes()
            .select_for_update(skip_locked=True, of=("self",))
            .filter(expires_at__lte=now)
            .order_by("expires_at")
            .first()
        )
        if quote is None:
            return False
        seats, quote.held_seats = quote.held_seats, 0
        quote.save(update_fields=["held_seats"])
        # Release first: the inventory row is locked before an entry, here as everywhere.
        release(departure_id=quote.departure_id, held=seats, now=now)
        entry = WaitlistEntry.objects.select_for_update().get(quotes=quote)
        _expire(entry, reason=events.UNANSWERED, now=now)
        return True


def _expire(entry: WaitlistEntry, *, reason: "pb.WaitlistExpiryReason.ValueType", now: datetime) -> None:
    """Change a locked entry to EXPIRED and publish the event. The caller releases the seats that the entry held."""
    change_entry_status(entry, WaitlistAction.EXPIRE)
    with bind_request():
        publish(
            events.waitlist_expired(entry, reason), aggregate_id=entry.id, sequence=entry.sequence, occurred_at=now
        )  # fmt: skip
