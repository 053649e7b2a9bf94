"""Read bookings.

A function that takes `traveller_id` treats the bookings of other travellers as if they did not exist.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import DateField, DateTimeField, F, Func, Prefetch, QuerySet
from django.db.models.functions import Cast

from bookings_service.bookings import wrong_references
from bookings_service.bookings.contracts import BookingView, PassengerKind, PassengerView
from bookings_service.bookings.domain.booking import is_reference
from bookings_service.bookings.json_columns import lines_from_json
from bookings_service.bookings.models import Booking, Passenger
from bookings_service.bookings.wrong_references import ReferenceNotFound
from bookings_service.payments import ledger
from bookings_service.payments.mapping import payment_view, refund_view
from bookings_service.payments.models import Payment, Refund
from shared.errors import NotFound
from shared.money import Money
from shared.pages import ID, Key, instant
from shared.text import Text

# The orders in which bookings are listed, as keys of their pages.
NEWEST: Final = (Key("created_at", instant, descending=True), Key("id", UUID, descending=True))
BY_START: Final = (Key("starts_at", instant), ID)
_LOCAL_DATE = Cast(Func(F("time_zone"), F("starts_at"), function="timezone", output_field=DateTimeField()), DateField())


def bookings() -> QuerySet[Booking]:
    """Return the bookings of all travellers, with everything that a view shows."""
    return Booking.objects.prefetch_related(
        Prefetch("passengers", Passenger.objects.order_by("position")), "payments", "refunds"
    )


def views_of(rows: Iterable[Booking]) -> list[BookingView]:
    """Return the views of bookings. One query reads from the ledger what all of them have paid and got back."""
    listed = list(rows)
    money = ledger.paid_and_refunded([booking.id for booking in listed])
    return [
        _view(
            booking, booking.passengers.all(), booking.payments.all(), booking.refunds.all(),
            *money.get(booking.id, (0, 0)),
        )
        for booking in listed
    ]  # fmt: skip


def view_of(booking: Booking) -> BookingView:
    """Return the view of a booking as the current transaction sees it."""
    return views_of([bookings().get(id=booking.id)])[0]


def view_of_new(booking: Booking, *, passengers: Iterable[Passenger]) -> BookingView:
    """Return the view of a booking that was just inserted, without a query: nothing is paid yet."""
    return _view(booking, passengers, (), (), 0, 0)


def booking_of_any_traveller(*, booking_id: UUID) -> BookingView:
    """Return a booking by its id, for callers that have checked who asks. Raises NotFound."""
    return _view_of_first(bookings().filter(id=booking_id))


def booking_by_reference(*, reference: str, traveller_id: UUID) -> BookingView:
    """Return a traveller's booking. Raises NotFound, and RateLimited after too many wrong references."""
    with wrong_references.limited(traveller_id=traveller_id):
        own = bookings().filter(reference=reference, traveller_id=traveller_id)
        booking = own.first() if is_reference(reference) else None
        if booking is None:
            raise ReferenceNotFound
    return views_of([booking])[0]


def bookings_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[BookingView]:
    """Return the bookings that are the traveller's, in the order of `ids`."""
    views = {view.id: view for view in views_of(bookings().filter(id__in=ids, traveller_id=traveller_id))}
    return [views[booking_id] for booking_id in ids if booking_id in views]


def bookings_of(
    *, traveller_id: UUID, status: str = "", upcoming: bool | None = None, now: datetime | None = None,
    starts_from: date | None = None, starts_to: date | None = None, reference: str = "",
) -> QuerySet[Booking]:  # fmt: skip
    """Return a traveller's bookings. The caller orders them and cuts them into pages.

    `starts_from` and `starts_to` are days of departure in the trip's time zone, both included. `reference` is the
    beginning of a reference.
    """
    rows = bookings().filter(traveller_id=traveller_id)
    if reference:
        rows = rows.filter(reference__startswith=reference)
    if starts_from:
        rows = rows.annotate(starts_on=_LOCAL_DATE).filter(starts_on__gte=starts_from)
    if starts_to:
        rows = rows.annotate(starts_on=_LOCAL_DATE).filter(starts_on__lte=starts_to)
    if status:
        rows = rows.filter(status=status)
    if upcoming is not None and now is not None:
        rows = rows.filter(starts_at__gte=now) if upcoming else rows.filter(starts_at__lt=now)
    return rows


def _view_of_first(rows: QuerySet[Booking]) -> BookingView:
    booking = rows.first()
    if booking is None:
        raise NotFound
    return views_of([booking])[0]


def _view(
    row: Booking,
    passengers: Iterable[Passenger],
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    paid: int,
    refunded: int,
) -> BookingView:
    return BookingView(
        id=row.id,
        reference=row.reference,
        status=row.status,
        reason=row.reason,
        traveller_id=row.traveller_id,
        departure_id=row.departure_id,
        title=Text(en=row.title_en, fr=row.title_fr),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        passengers=tuple(
            PassengerView(
                id=passenger.id,
                first_name=passenger.first_name,
                last_name=passenger.last_name,
                kind=PassengerKind(passenger.kind),
                date_of_birth=passenger.date_of_birth,
                cancelled=passenger.cancelled_at is not None,
            )
            for passenger in passengers
        ),
        lines=lines_from_json(row.lines, row.currency),
        total=Money.from_minor(row.total_minor, row.currency),
        paid=Money.from_minor(paid, row.currency),
        refunded=Money.from_minor(refunded, row.currency),
        hold_expires_at=row.hold_expires_at,
        sequence=row.sequence,
        payments=tuple(map(payment_view, payments)),
        refunds=tuple(map(refund_view, refunds)),
        created_at=row.created_at,
    )
