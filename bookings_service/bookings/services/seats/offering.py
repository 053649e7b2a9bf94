"""Offer free seats of a departure to its waiting list.

`services/waitlist/` has the rest of the waiting list. Offers are made here, because `release` needs them.

Locks are taken in this order: the departure's inventory row, then entries of its waiting list.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from bookings_service.bookings import events
from bookings_service.bookings.domain.waitlist import WaitlistAction, WaitlistStatus
from bookings_service.bookings.models import SeatInventory, WaitlistEntry
from bookings_service.bookings.services.job import Instant, Job, now_if_any
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.waitlist_status import change_entry_status
from shared.db import database_now
from shared.outbox import publish
from shared.statement import Statement
from shared.telemetry import bind_request

_SOMEBODY_WAITS: Final = Statement(
    bool,
    "SELECT true FROM bookings_waitlistentry WHERE departure_id = %(departure_id)s AND status = 'WAITING' LIMIT 1",
)


def offer_free_seats(*, departure_id: UUID, now: datetime) -> int:
    """Hold the departure's free seats for the first waiting entries whose seats fit, and publish the offers.

    Return their number.

    An entry that needs more seats than are free is passed over and keeps its place. Call this after the capacity has
    changed; `release` calls it for seats that are given back.
    """
    if not _SOMEBODY_WAITS.first(departure_id=departure_id):
        return 0
    waiting = WaitlistEntry.objects.filter(departure_id=departure_id, status=WaitlistStatus.WAITING)
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
        change_entry_status(entry, WaitlistAction.OFFER, offered_until=until)
        with (
            bind_request()
        ):  # the offer is another traveller's: it does not continue the trace of who gave the seats back
            publish(
                events.waitlist_offered(entry), aggregate_id=entry.id, sequence=entry.sequence, occurred_at=now
            )  # fmt: skip
        offers += 1
    return offers


def offer_to_waiting(*, limit: int = 50) -> int:
    """Offer the free seats of up to `limit` departures to their waiting lists. Return the number of offers.

    Normally `release` has already offered them. This sweep is the second guard: it finds free seats that were not
    offered.
    """
    due = _without_offer(database_now()).values_list("departure_id", flat=True).distinct()
    done = 0
    for departure_id in list(due[:limit]):
        with transaction.atomic():
            done += offer_free_seats(departure_id=departure_id, now=database_now())
    return done


def _without_offer(now: Instant) -> QuerySet[WaitlistEntry]:
    """Return the waiting entries for which enough seats are free."""
    bookable = SeatInventory.objects.filter(
        departure_id=OuterRef("departure_id"), closed=False, starts_at__gt=now + settings.BOOKING_CLOSES,
        capacity__gte=F("held") + F("sold") + OuterRef("seats"),
    )  # fmt: skip
    return WaitlistEntry.objects.filter(Exists(bookable), status=WaitlistStatus.WAITING).order_by()


OFFER_TO_WAITING = Job("offer_to_waiting", offer_to_waiting, lambda: now_if_any(_without_offer(Now())))
