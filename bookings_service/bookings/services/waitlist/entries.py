"""Join the waiting list of a full departure, and leave it."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from bookings_service.bookings import selectors, upstream
from bookings_service.bookings.contracts import WaitlistView
from bookings_service.bookings.domain.booking import MOST_PASSENGERS
from bookings_service.bookings.domain.waitlist import LIVE_ENTRY, WaitlistAction, WaitlistStatus
from bookings_service.bookings.models import WaitlistEntry
from bookings_service.bookings.refusals import DepartureClosed, InvalidPassengers, SeatsAvailable
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.follow_departures import apply_departure
from bookings_service.bookings.services.seats.release import release
from bookings_service.bookings.services.seats.waitlist_status import change_entry_status
from shared.auth import Traveller
from shared.db import database_now
from shared.deadline import Deadline
from shared.errors import NotFound


def join_waitlist(*, departure_id: UUID, seats: int, traveller: Traveller, deadline: Deadline) -> WaitlistView:
    """Put the traveller on the waiting list of a departure that has too few free seats.

    A repeated call returns the same entry.

    A waiting entry of another size is changed: with fewer seats it keeps its place, with more it goes to the end. An
    entry that has an offer stays as it is.

    Raises InvalidPassengers, NotFound, DepartureClosed, SeatsAvailable, Unavailable, DeadlineExceeded.
    """
    if not 0 < seats <= MOST_PASSENGERS:
        raise InvalidPassengers(field="seats")
    departure = upstream.departure(departure_id=departure_id, deadline=deadline)
    with transaction.atomic():
        now = database_now()
        apply_departure(snapshot=departure.snapshot(), now=now)
        row = inventory.lock(departure_id=departure_id)  # nobody frees seats until the entry is written
        if row.closed or row.starts_at - settings.BOOKING_CLOSES <= now:
            raise DepartureClosed
        own = WaitlistEntry.objects.select_for_update().filter(
            traveller_id=traveller.id, departure_id=departure_id, status__in=LIVE_ENTRY
        )
        entry = own.first()
        if entry is not None and (entry.status == WaitlistStatus.OFFERED or entry.seats == seats):
            return selectors.waitlist_view(entry)
        if row.free_seats >= seats:
            raise SeatsAvailable
        if entry is None:
            entry = WaitlistEntry(
                traveller_id=traveller.id, departure_id=departure_id, status=WaitlistStatus.WAITING,
                title_en=departure.title.en, title_fr=departure.title.fr, starts_at=departure.starts_at,
                time_zone=departure.time_zone, created_at=now, joined_at=now,
            )  # fmt: skip
        elif seats > entry.seats:
            entry.joined_at = now
        entry.seats = seats
        entry.save()
        return selectors.waitlist_view(entry)


def leave_waitlist(*, entry_id: UUID, traveller: Traveller) -> None:
    """Take the traveller's entry off the waiting list. Seats offered to it go to the next entry. Raises NotFound.

    An entry that is TAKEN, EXPIRED or LEFT stays as it is.
    """
    with transaction.atomic():
        now = database_now()
        own = WaitlistEntry.objects.filter(id=entry_id, traveller_id=traveller.id)
        unlocked = own.first()
        if unlocked is None:
            raise NotFound
        inventory.lock(departure_id=unlocked.departure_id)
        entry = own.select_for_update().get()
        if entry.status not in LIVE_ENTRY:
            return
        was_offered = entry.status == WaitlistStatus.OFFERED
        change_entry_status(entry, WaitlistAction.LEAVE)
        if was_offered:
            release(departure_id=entry.departure_id, held=entry.seats, now=now)
