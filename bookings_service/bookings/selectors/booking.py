"""Read bookings.

A function that takes `traveller_id` treats the bookings of other travellers as if they did not exist.
"""
# ruff: noqa: S608 — the statements are put together from constants. Every value is a parameter.

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from itertools import starmap
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from bookings_service.bookings import wrong_references
from bookings_service.bookings.contracts import (
    BookingFilter,
    BookingView,
    DepartureChangeView,
    PassengerKind,
    PassengerView,
)
from bookings_service.bookings.domain.booking import is_reference
from bookings_service.bookings.json_columns import lines_from_json
from bookings_service.bookings.models import Booking, Passenger
from bookings_service.bookings.wrong_references import ReferenceNotFound
from bookings_service.payments.ledger import PAID_AND_REFUNDED
from bookings_service.payments.mapping import PAYMENT_COLUMNS, REFUND_COLUMNS, payment_of_columns, refund_of_columns
from shared.errors import NotFound
from shared.money import Money
from shared.pages import ID, Key, Listing, Page, instant
from shared.statement import Statement
from shared.text import Text


class BookingOrder(Enum):
    """The orders in which bookings are listed."""

    NEWEST = "newest"
    BY_START = "start"


def view_of(booking: Booking) -> BookingView:
    """Return the view of a booking as the current transaction sees it."""
    return booking_of_any_traveller(booking_id=booking.id)


def view_of_new(booking: Booking, *, passengers: Iterable[Passenger]) -> BookingView:
    """Return the view of a booking that was just inserted, without a query: nothing is paid yet."""
    passenger_rows = map(attrgetter(*_PASSENGER_COLUMNS), passengers)
    columns = (*attrgetter(*_OWN_COLUMNS)(booking), passenger_rows, (), (), (0, 0))
    return _view(*columns)


def booking_of_any_traveller(*, booking_id: UUID) -> BookingView:
    """Return a booking by its id, for callers that have checked who asks. Raises NotFound."""
    booking = _BOOKING.first(id=booking_id)
    if booking is None:
        raise NotFound
    return booking


def booking_by_reference(*, reference: str, traveller_id: UUID) -> BookingView:
    """Return a traveller's booking. Raises NotFound, and RateLimited after too many wrong references."""
    with wrong_references.limited(traveller_id=traveller_id):
        own = is_reference(reference) and _BOOKING_BY_REFERENCE.first(reference=reference, traveller_id=traveller_id)
        if not own:
            raise ReferenceNotFound
    return own


def bookings_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[BookingView]:
    """Return the bookings that are the traveller's, in the order of `ids`."""
    views = {view.id: view for view in _BOOKINGS_BY_ID.all(ids=list(ids), traveller_id=traveller_id)}
    return [views[booking_id] for booking_id in ids if booking_id in views]


def bookings_page(*, wanted: BookingFilter, order: BookingOrder, first: int, after: str) -> Page[BookingView]:
    """Return a page of a traveller's bookings. Raises Invalid (field `after`)."""
    return _BOOKING_LISTS[order].page(first=first, after=after, **wanted._asdict())


def count_bookings(*, wanted: BookingFilter) -> int:
    """Return how many bookings the pages of a list have together."""
    return sum(_BOOKINGS_COUNT.all(**wanted._asdict()))


def _view(
    id: UUID, reference: str, status: str, reason: str, traveller_id: UUID, departure_id: UUID, title_en: str,
    title_fr: str, starts_at: datetime, ends_at: datetime, time_zone: str, currency: str, total_minor: int,
    lines: list[dict[str, Any]], hold_expires_at: datetime | None, sequence: int, created_at: datetime,
    changed_at: datetime | None, change_reason: str, previous_starts_at: datetime, previous_ends_at: datetime,
    free_cancellation_until: datetime, change_accepted_at: datetime | None,
    passengers: Iterable[Sequence[Any]], payments: Iterable[Sequence[Any]], refunds: Iterable[Sequence[Any]],
    paid_and_refunded: tuple[int, int],
) -> BookingView:  # fmt: skip
    paid, refunded = paid_and_refunded
    return BookingView(
        id=id,
        reference=reference,
        status=status,
        reason=reason,
        traveller_id=traveller_id,
        departure_id=departure_id,
        title=Text(title_en, title_fr),
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=time_zone,
        passengers=tuple(starmap(_passenger, passengers)),
        lines=lines_from_json(lines, currency),
        total=Money.from_minor(total_minor, currency),
        paid=Money.from_minor(paid, currency),
        refunded=Money.from_minor(refunded, currency),
        hold_expires_at=hold_expires_at,
        sequence=sequence,
        payments=tuple(starmap(payment_of_columns, payments)),
        refunds=tuple(starmap(refund_of_columns, refunds)),
        created_at=created_at,
        change=None
        if changed_at is None
        else DepartureChangeView(
            changed_at, change_reason, previous_starts_at, previous_ends_at, free_cancellation_until, change_accepted_at
        ),
    )


def _passenger(
    id: UUID, first_name: str, last_name: str, kind: str, date_of_birth: date | None, cancelled_at: datetime | None
) -> PassengerView:
    return PassengerView(
        id=id,
        first_name=first_name,
        last_name=last_name,
        kind=PassengerKind(kind),
        date_of_birth=date_of_birth,
        cancelled=cancelled_at is not None,
    )


# The parameters of `_view`, in their order: columns of the booking itself, then what other tables have of it.
_OWN_COLUMNS: Final = (
    "id", "reference", "status", "reason", "traveller_id", "departure_id", "title_en", "title_fr", "starts_at",
    "ends_at", "time_zone", "currency", "total_minor", "lines", "hold_expires_at", "sequence", "created_at",
    "changed_at", "change_reason", "previous_starts_at", "previous_ends_at", "free_cancellation_until",
    "change_accepted_at",
)  # fmt: skip
_PASSENGER_COLUMNS: Final = ("id", "first_name", "last_name", "kind", "date_of_birth", "cancelled_at")
_SELECT: Final = f"""
SELECT {", ".join(_OWN_COLUMNS)},
    ARRAY(
        SELECT ROW({", ".join(_PASSENGER_COLUMNS)})
        FROM bookings_passenger WHERE booking_id = booking.id ORDER BY position
    ),
    ARRAY(
        SELECT ROW({PAYMENT_COLUMNS}) FROM payments_payment WHERE booking_id = booking.id ORDER BY created_at, id
    ),
    ARRAY(
        SELECT ROW({REFUND_COLUMNS}) FROM payments_refund WHERE booking_id = booking.id ORDER BY created_at, id
    ),
    (SELECT ROW({PAID_AND_REFUNDED}) FROM payments_ledgerentry WHERE booking_id = booking.id AND account = 'PROVIDER')
FROM bookings_booking booking"""
# Each condition of a BookingFilter that is not set is true for every row.
_FILTERED: Final = """
WHERE traveller_id = %(traveller_id)s
    AND (%(status)s::text = '' OR status = %(status)s::text)
    AND (%(upcoming)s::boolean IS NULL OR (starts_at >= %(now)s::timestamptz) = %(upcoming)s::boolean)
    AND (%(starts_from)s::date IS NULL OR (starts_at AT TIME ZONE time_zone)::date >= %(starts_from)s::date)
    AND (%(starts_to)s::date IS NULL OR (starts_at AT TIME ZONE time_zone)::date <= %(starts_to)s::date)
    AND starts_with(reference, %(reference)s::text)"""

_BOOKING: Final = Statement(_view, f"{_SELECT} WHERE id = %(id)s")
_BOOKING_BY_REFERENCE: Final = Statement(
    _view, f"{_SELECT} WHERE reference = %(reference)s AND traveller_id = %(traveller_id)s"
)
_BOOKINGS_BY_ID: Final = Statement(_view, f"{_SELECT} WHERE id = ANY(%(ids)s) AND traveller_id = %(traveller_id)s")
_BOOKINGS_COUNT: Final = Statement(int, f"SELECT count(*) FROM bookings_booking {_FILTERED}")
_BOOKING_LISTS: Final[Mapping[BookingOrder, Listing[BookingView]]] = {
    BookingOrder.NEWEST: Listing(
        _view, f"{_SELECT} {_FILTERED}", kind="bookings.newest",
        keys=(Key("created_at", instant, descending=True), Key("id", UUID, descending=True)),
    ),
    BookingOrder.BY_START: Listing(
        _view, f"{_SELECT} {_FILTERED}", kind="bookings.start", keys=(Key("starts_at", instant), ID)
    ),
}  # fmt: skip
