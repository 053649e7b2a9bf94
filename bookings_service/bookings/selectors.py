"""Reading bookings, quotes and histories. What is somebody else's is as what does not exist."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, DateField, DateTimeField, F, Func, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast

from bookings_service.bookings.contracts import (
    BookingView,
    CancellationQuoteView,
    EventView,
    PassengerKind,
    PassengerView,
    QuoteView,
    Seats,
    WaitlistView,
)
from bookings_service.bookings.domain.booking import Status, WaitlistStatus, is_reference
from bookings_service.bookings.models import (
    Booking,
    BookingEvent,
    CancellationQuote,
    Passenger,
    Quote,
    SeatInventory,
    WaitlistEntry,
)
from bookings_service.bookings.snapshots import lines_from_json, policy_from_json, texts_from_json
from bookings_service.payments import ledger
from bookings_service.payments.mappers import payment_view, refund_view
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
    """Return bookings with all that a view shows."""
    return Booking.objects.prefetch_related(
        Prefetch("passengers", Passenger.objects.order_by("position")), "payments", "refunds"
    )


def views_of(rows: Iterable[Booking]) -> list[BookingView]:
    """Return the views of bookings, their balances read once for all of them."""
    held = list(rows)
    balances = ledger.balances([booking.id for booking in held])
    return [
        _view(
            booking, booking.passengers.all(), booking.payments.all(), booking.refunds.all(),
            *balances.get(booking.id, (0, 0)),
        )
        for booking in held
    ]  # fmt: skip


def view_of(booking: Booking) -> BookingView:
    """Return the view of one booking as the current transaction sees it."""
    return views_of([bookings().get(id=booking.id)])[0]


def view_of_new(booking: Booking, *, passengers: Iterable[Passenger]) -> BookingView:
    """Return the view of a booking just made: its passengers are known, and nothing was paid yet."""
    return _view(booking, passengers, (), (), 0, 0)


def booking_by_id(*, booking_id: UUID) -> BookingView:
    """Return a booking. Raises NotFound."""
    return _one(bookings().filter(id=booking_id))


def booking_by_reference(*, reference: str, traveller_id: UUID) -> BookingView:
    """Return a traveller's booking. Raises NotFound."""
    if not is_reference(reference):
        raise NotFound
    return _one(bookings().filter(reference=reference, traveller_id=traveller_id))


def bookings_by_id(*, ids: Collection[UUID], traveller_id: UUID) -> list[BookingView]:
    """Return those of the bookings that are the traveller's, in the order asked for."""
    found = {view.id: view for view in views_of(bookings().filter(id__in=ids, traveller_id=traveller_id))}
    return [found[booking_id] for booking_id in ids if booking_id in found]


def bookings_of(
    *, traveller_id: UUID, status: str = "", upcoming: bool | None = None, now: datetime | None = None,
    starts_from: date | None = None, starts_to: date | None = None, reference: str = "",
) -> QuerySet[Booking]:  # fmt: skip
    """Return a traveller's bookings, to be ordered and cut into pages.

    `starts_from` and `starts_to` are days of departure by the calendar of the place, both included; `reference` is a reference's beginning.
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


def history(*, booking_ids: Collection[UUID], traveller_id: UUID, after: int = 0) -> dict[UUID, list[EventView]]:
    """Return each of the traveller's bookings' events after a sequence, oldest first."""
    found: dict[UUID, list[EventView]] = {booking_id: [] for booking_id in booking_ids}
    rows = BookingEvent.objects.filter(
        booking_id__in=booking_ids, booking__traveller_id=traveller_id, sequence__gt=after
    ).order_by("booking_id", "sequence")
    for row in rows:
        found[row.booking_id].append(event_view(row))
    return found


def booking_with_events(*, reference: str, traveller_id: UUID, after: int) -> tuple[BookingView, list[EventView]]:
    """Return a traveller's booking as it is now, and its events after a sequence up to its own. Raises NotFound."""
    booking = booking_by_reference(reference=reference, traveller_id=traveller_id)
    events = history(booking_ids=[booking.id], traveller_id=traveller_id, after=after)[booking.id]
    return booking, [event for event in events if event.sequence <= booking.sequence]


def quote(*, quote_id: UUID, traveller_id: UUID) -> QuoteView:
    """Return a traveller's quote. Raises NotFound."""
    row = Quote.objects.filter(id=quote_id, traveller_id=traveller_id).first()
    if row is None:
        raise NotFound
    return quote_view(row)


def cancellation_quote(*, quote_id: UUID, traveller_id: UUID) -> CancellationQuoteView:
    """Return a traveller's cancellation quote. Raises NotFound."""
    row = CancellationQuote.objects.filter(id=quote_id, booking__traveller_id=traveller_id).first()
    if row is None:
        raise NotFound
    return cancellation_quote_view(row)


@dataclass(frozen=True, slots=True)
class Affected:
    """The live bookings of a departure in one status and currency. `left` is what would go back if it did not leave."""

    status: str
    bookings: int
    seats: int
    left: Money


def bookings_of_departure(*, departure_id: UUID) -> list[Affected]:
    """Return what is live of a departure. Raises NotFound for one never heard of."""
    if not SeatInventory.objects.filter(departure_id=departure_id).exists():
        raise NotFound
    live = Booking.objects.filter(departure_id=departure_id).exclude(status=Status.CANCELLED)
    counted = live.values_list("status", "currency").order_by("status", "currency")
    found = []
    for status, currency, bookings_, seats in counted.annotate(Count("id"), Sum("seats")):
        ids = list(live.filter(status=status, currency=currency).values_list("id", flat=True))
        found.append(Affected(status, bookings_, seats, ledger.refundable_of(ids, currency)))
    return found


def availability(*, departure_ids: Collection[UUID]) -> dict[UUID, Seats]:
    """Return the seats of the departures that are known; a closed one has none free."""
    rows = SeatInventory.objects.filter(departure_id__in=departure_ids)
    return {
        row.departure_id: Seats(row.held + row.sold if row.closed else row.capacity, row.held, row.sold) for row in rows
    }


def waitlist_of(*, traveller_ids: Collection[UUID]) -> dict[UUID, list[WaitlistView]]:
    """Return each traveller's entries, newest first."""
    found: dict[UUID, list[WaitlistView]] = {traveller_id: [] for traveller_id in traveller_ids}
    for view in _waitlist_views(WaitlistEntry.objects.filter(traveller_id__in=traveller_ids).order_by("-created_at")):
        found[view.traveller_id].append(view)
    return found


def waitlist_entries(*, ids: Collection[UUID], traveller_id: UUID) -> list[WaitlistView]:
    """Return those of the entries that are the traveller's."""
    return _waitlist_views(WaitlistEntry.objects.filter(id__in=ids, traveller_id=traveller_id))


def waitlist_view(row: WaitlistEntry) -> WaitlistView:
    """Return the view of an entry as the current transaction sees it."""
    return _waitlist_views(WaitlistEntry.objects.filter(id=row.id))[0]


def _waitlist_views(rows: QuerySet[WaitlistEntry]) -> list[WaitlistView]:
    ahead = (
        WaitlistEntry.objects.filter(
            Q(joined_at__lt=OuterRef("joined_at")) | Q(joined_at=OuterRef("joined_at"), id__lte=OuterRef("id")),
            departure_id=OuterRef("departure_id"), status=WaitlistStatus.WAITING,
        ).order_by().values("departure_id").annotate(count=Count("id")).values("count")
    )  # fmt: skip
    return [
        WaitlistView(
            id=row.id,
            traveller_id=row.traveller_id,
            departure_id=row.departure_id,
            seats=row.seats,
            status=row.status,
            position=row.position if row.status == WaitlistStatus.WAITING else None,
            offered_until=row.offered_until,
            created_at=row.created_at,
        )
        for row in rows.annotate(position=Subquery(ahead))
    ]


def quote_view(row: Quote) -> QuoteView:
    """Return what leaves the domain of a quote."""
    return QuoteView(
        id=row.id,
        departure_id=row.departure_id,
        adults=row.adults,
        children=row.children,
        lines=lines_from_json(row.lines, row.currency),
        total=Money.from_minor(row.total_minor, row.currency),
        expires_at=row.expires_at,
        policy=policy_from_json(row.policy),
    )


def cancellation_quote_view(row: CancellationQuote) -> CancellationQuoteView:
    """Return what leaves the domain of a cancellation quote."""
    return CancellationQuoteView(
        id=row.id,
        booking_id=row.booking_id,
        refund=Money.from_minor(row.refund_minor, row.currency),
        kept=Money.from_minor(row.kept_minor, row.currency),
        explanation=texts_from_json(row.explanation),
        expires_at=row.expires_at,
    )


def event_view(row: BookingEvent) -> EventView:
    """Return what leaves the domain of a history's line."""
    return EventView(
        sequence=row.sequence,
        type=row.type,
        status=row.status,
        reason=row.reason,
        at=row.at,
        actor=row.actor,
        message=Text(en=row.message_en, fr=row.message_fr),
    )


def _one(rows: QuerySet[Booking]) -> BookingView:
    found = rows.first()
    if found is None:
        raise NotFound
    return views_of([found])[0]


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
