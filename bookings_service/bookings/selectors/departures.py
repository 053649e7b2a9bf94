"""Read the seats of departures, and count their bookings."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Sum

from bookings_service.bookings.contracts import BookingsOfDeparture, Seats
from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.domain.departure_change import Dates
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.bookings.refusals import DepartureClosed, QuotedDatesChanged, SeatsUnavailable
from bookings_service.payments import ledger
from shared.errors import DomainError, NotFound
from shared.money import Money
from shared.statement import Statement


@dataclass(frozen=True, slots=True)
class LiveBookingsCount:
    """The count of a departure's live bookings in one status and currency, with their seats and money.

    `refundable` is refunded if the departure is cancelled.
    """

    status: str
    bookings: int
    seats: int
    refundable: Money


def count_live_bookings(*, departure_id: UUID) -> list[LiveBookingsCount]:
    """Return the bookings of a departure that are not cancelled, counted by status and currency.

    Raises NotFound for an unknown departure.
    """
    if not SeatInventory.objects.filter(departure_id=departure_id).exists():
        raise NotFound
    live = Booking.objects.filter(departure_id=departure_id).exclude(status=Status.CANCELLED)
    counted = live.values_list("status", "currency").order_by("status", "currency")
    groups = []
    for status, currency, count, seats in counted.annotate(Count("id"), Sum("seats")):
        ids = list(live.filter(status=status, currency=currency).values_list("id", flat=True))
        groups.append(LiveBookingsCount(status, count, seats, ledger.refundable_of(ids, currency)))
    return groups


def bookings_of_departures(*, departure_ids: Collection[UUID]) -> list[BookingsOfDeparture]:
    """Return how many live bookings and passengers each of the departures has, in the order of `departure_ids`.

    A departure without live bookings has zeros.
    """
    counted = {row.departure_id: row for row in _LIVE_BOOKINGS.all(departure_ids=list(departure_ids))}
    return [counted.get(id_) or BookingsOfDeparture(id_, bookings=0, passengers=0) for id_ in departure_ids]


def availability(*, departure_ids: Collection[UUID]) -> dict[UUID, Seats]:
    """Return the seats of the known departures.

    For a closed departure, return held + sold as `capacity`, so that it shows no free seats.
    """
    return dict(_AVAILABILITY.all(departure_ids=list(departure_ids)))


def seats_of(*, departure_id: UUID) -> Seats:
    """Return the counters of one departure. Raises NotFound for an unknown departure."""
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    if row is None:
        raise NotFound
    return Seats(capacity=row.capacity, held=row.held, sold=row.sold)


def check_free(*, departure_id: UUID, seats: int) -> None:
    """Raise what `inventory.hold` would raise now, without a lock. `hold` may still refuse later.

    At a sold-out departure this saves the work that would be rolled back.
    """
    if not _BOOKABLE.first(departure_id=departure_id, seats=seats):
        raise seats_refusal(departure_id=departure_id, seats=seats)


def seats_refusal(*, departure_id: UUID, seats: int, dates: Dates | None = None) -> DomainError:
    """Return the refusal that explains why `seats` could not be taken: closed, other dates, or too few free seats.

    Reads without a lock.
    """
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    if row is None or row.closed:
        return DepartureClosed()
    if dates is not None and dates != (row.starts_at, row.ends_at or dates.ends_at):
        return QuotedDatesChanged()
    return SeatsUnavailable(seatsLeft=_seats_to_report(row, wanted=seats))


def seats_to_report(*, departure_id: UUID, wanted: int) -> int:
    """Return the free seats to report after `wanted` were refused: at most `wanted` − 1."""
    row = SeatInventory.objects.filter(departure_id=departure_id).first()
    return 0 if row is None else _seats_to_report(row, wanted=wanted)


def _seats_to_report(row: SeatInventory, *, wanted: int) -> int:
    return min(max(0, row.free_seats), wanted - 1)


def _seats(departure_id: UUID, capacity: int, held: int, sold: int) -> tuple[UUID, Seats]:
    return departure_id, Seats(capacity, held, sold)


_AVAILABILITY: Final = Statement(
    _seats,
    """
    SELECT departure_id, CASE WHEN closed THEN held + sold ELSE capacity END, held, sold
    FROM bookings_seatinventory WHERE departure_id = ANY(%(departure_ids)s)""",
)

_LIVE_BOOKINGS: Final = Statement(
    BookingsOfDeparture,
    """
    SELECT departure_id, count(*), sum(seats) FROM bookings_booking
    WHERE departure_id = ANY(%(departure_ids)s) AND status IN ('PENDING', 'CONFIRMED') GROUP BY departure_id""",
)

_BOOKABLE: Final = Statement(
    bool,
    "SELECT true FROM bookings_seatinventory"
    " WHERE departure_id = %(departure_id)s AND NOT closed AND capacity >= held + sold + %(seats)s",
)
