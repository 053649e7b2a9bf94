"""The quote that becomes a booking: locked, read together with everything that decides about it, and checked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings

from bookings_service.bookings.contracts import PassengerDetails, PassengerKind
from bookings_service.bookings.domain.booking import check_passengers, local_date
from bookings_service.bookings.domain.departure_change import Dates
from bookings_service.bookings.refusals import (
    DepartureClosed,
    HoldLimitReached,
    PassengersMismatch,
    QuotedDatesChanged,
    QuoteExpired,
    QuoteUsed,
    SeatsUnavailable,
)
from shared.db import lock_key
from shared.errors import NotFound
from shared.statement import Statement, one_round_trip


class QuoteToBook(NamedTuple):
    """A locked quote, its departure's free seats, and what its traveller has not paid yet. `now` is the database's.

    `free_seats` is None if the departure takes no bookings. `is_moved` means that the departure has other dates now.
    """

    id: UUID
    traveller_id: UUID
    departure_id: UUID
    adults: int
    children: int
    currency: str
    total_minor: int
    lines: list[dict[str, Any]]
    policy: list[dict[str, int]]
    title_en: str
    title_fr: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    bookable_until: datetime | None
    waitlist_entry_id: UUID | None
    expires_at: datetime
    used_at: datetime | None
    free_seats: int | None
    is_moved: bool
    unpaid_bookings: int
    unpaid_seats: int
    now: datetime

    @property
    def dates(self) -> Dates:
        """The quoted dates."""
        return Dates(self.starts_at, self.ends_at)


_LOCK_HOLDS: Final = Statement(str, "SELECT pg_advisory_xact_lock(%(lock)s)")
_LOCK_QUOTE: Final = Statement(
    QuoteToBook,
    """
    SELECT quote.id, quote.traveller_id, quote.departure_id, quote.adults, quote.children, quote.currency,
        quote.total_minor, quote.lines, quote.policy, quote.title_en, quote.title_fr, quote.starts_at, quote.ends_at,
        quote.time_zone, quote.bookable_until, quote.waitlist_entry_id, quote.expires_at, quote.used_at,
        CASE WHEN NOT seats.closed THEN seats.capacity - seats.held - seats.sold END,
        seats.starts_at IS NOT NULL
            AND (seats.starts_at, coalesce(seats.ends_at, quote.ends_at)) <> (quote.starts_at, quote.ends_at),
        unpaid.bookings, unpaid.seats, transaction_timestamp()
    FROM bookings_quote AS quote
    LEFT JOIN bookings_seatinventory AS seats ON seats.departure_id = quote.departure_id
    CROSS JOIN (
        SELECT count(*) AS bookings, coalesce(sum(seats), 0) AS seats FROM bookings_booking
        WHERE traveller_id = %(traveller_id)s AND status = 'PENDING'
    ) AS unpaid
    WHERE quote.id = %(quote_id)s AND quote.traveller_id = %(traveller_id)s
    FOR UPDATE OF quote
    """,
)
_USE_QUOTE: Final = Statement(str, "UPDATE bookings_quote SET used_at = %(now)s, held_seats = 0 WHERE id = %(id)s")


def lock_quote(*, quote_id: UUID, traveller_id: UUID) -> QuoteToBook:
    """Lock the traveller's quote and return it with what decides whether it can be booked.

    An advisory lock on the traveller comes first: of two concurrent requests, the second counts the booking of the
    first. Raises NotFound if the quote is not the traveller's.
    """
    with one_round_trip():
        _LOCK_HOLDS.send(lock=lock_key("holds", traveller_id))
        locked = _LOCK_QUOTE.send(quote_id=quote_id, traveller_id=traveller_id)
    quote = locked.first()
    if quote is None:
        raise NotFound
    return quote


def check_quote(quote: QuoteToBook, passengers: Sequence[PassengerDetails]) -> list[PassengerDetails]:
    """Return the passengers with their names cleaned, if the quote can be booked for them now.

    Raises QuoteUsed, QuoteExpired, QuotedDatesChanged, DepartureClosed, PassengersMismatch, InvalidPassengers,
    InvalidName.
    """
    if quote.used_at is not None:
        raise QuoteUsed
    if quote.expires_at <= quote.now:
        raise QuoteExpired
    if (quote.bookable_until or quote.starts_at - settings.BOOKING_CLOSES) <= quote.now:
        raise DepartureClosed
    if quote.is_moved:  # `inventory.hold` checks it again, under the lock
        raise QuotedDatesChanged
    kinds = [passenger.kind for passenger in passengers]
    if (kinds.count(PassengerKind.ADULT), kinds.count(PassengerKind.CHILD)) != (quote.adults, quote.children):
        raise PassengersMismatch(field="passengers", adults=quote.adults, children=quote.children)
    return check_passengers(passengers, departs=local_date(quote.starts_at, quote.time_zone))


def check_free_seats(quote: QuoteToBook) -> None:
    """Raise what `inventory.hold` would raise now, before anything is written. `hold` may still refuse later.

    The quote of a waiting-list offer holds its seats already. Raises DepartureClosed, SeatsUnavailable.
    """
    if quote.waitlist_entry_id is not None:
        return
    if quote.free_seats is None:
        raise DepartureClosed
    if quote.free_seats < quote.adults + quote.children:
        raise SeatsUnavailable(seatsLeft=max(0, quote.free_seats))


def check_limits(quote: QuoteToBook) -> None:
    """Raise HoldLimitReached if one more booking of the quote's seats would exceed a limit of the traveller.

    One limit counts unpaid bookings, the other counts seats in unpaid bookings. A limit of 0 is no limit.
    """
    too_many_bookings = 0 < settings.HOLD_LIMIT_BOOKINGS <= quote.unpaid_bookings
    too_many_seats = 0 < settings.HOLD_LIMIT_SEATS < quote.unpaid_seats + quote.adults + quote.children
    if too_many_bookings or too_many_seats:
        raise HoldLimitReached(bookings=settings.HOLD_LIMIT_BOOKINGS, seats=settings.HOLD_LIMIT_SEATS)


def use_quote(quote: QuoteToBook) -> None:
    """Mark the locked quote as used."""
    _USE_QUOTE.send(id=quote.id, now=quote.now)
