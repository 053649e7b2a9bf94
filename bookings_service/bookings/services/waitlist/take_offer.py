"""Take the seats of an offer: a quote holds them until it is booked or expires."""

from datetime import datetime
from uuid import UUID

from bookings_service.bookings import selectors
from bookings_service.bookings.domain.waitlist import WaitlistAction
from bookings_service.bookings.models import Quote, WaitlistEntry
from bookings_service.bookings.refusals import InvalidPassengers, SeatsUnavailable
from bookings_service.bookings.services.seats import inventory
from bookings_service.bookings.services.seats.release import release
from bookings_service.bookings.services.seats.waitlist_status import change_entry_status
from shared.errors import NotFound


def take(*, entry_id: UUID, traveller_id: UUID, departure_id: UUID, seats: int, now: datetime) -> WaitlistEntry:
    """Take `seats` of the offered seats for a quote. The other offered seats go to the next entry of the waiting list.

    Raises NotFound if the entry is not the traveller's or is of another departure, InvalidPassengers if `seats` is more
    than was offered, SeatsUnavailable if the entry has no offer or its offer has ended.
    """
    own = WaitlistEntry.objects.filter(id=entry_id, traveller_id=traveller_id, departure_id=departure_id)
    if not own.exists():
        raise NotFound
    inventory.lock(departure_id=departure_id)
    entry = own.select_for_update().get()
    if seats > entry.seats:
        raise InvalidPassengers(field="adults")
    if not _still_open(entry, now):
        raise SeatsUnavailable(seatsLeft=selectors.seats_to_report(departure_id=departure_id, wanted=seats))
    surplus, entry.seats = entry.seats - seats, seats
    change_entry_status(entry, WaitlistAction.TAKE)
    if surplus:
        release(departure_id=departure_id, held=surplus, now=now)
    return entry


def _still_open(entry: WaitlistEntry, now: datetime) -> bool:
    return entry.offered_until is not None and entry.offered_until > now


def give_up_quote(quote: Quote, *, seats: int, now: datetime) -> datetime:
    """Expire a locked, unbooked quote so that a new quote of the same offer can hold `seats`.

    Return until when the new quote may hold them.

    Raises InvalidPassengers if `seats` is more than the old quote holds.
    """
    if seats > quote.held_seats:
        raise InvalidPassengers(field="adults")
    surplus, until = quote.held_seats - seats, quote.expires_at
    quote.held_seats, quote.expires_at = 0, now
    quote.save(update_fields=["held_seats", "expires_at"])
    if surplus:
        release(departure_id=quote.departure_id, held=surplus, now=now)
    return until
