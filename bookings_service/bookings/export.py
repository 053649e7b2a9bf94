"""Bookings as flat rows, for export_bookings. A server-side cursor reads them, so that memory stays constant."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from bookings_service.bookings.models import Booking
from bookings_service.payments import ledger
from shared.money import Money

CHUNK = 1_000
COLUMNS = (
    "reference", "status", "reason", "traveller_id", "departure_id", "title", "starts_at", "time_zone",
    "seats", "currency",
    "total", "paid", "refunded", "created_at",
)  # fmt: skip


def columns(*, with_passengers: bool) -> tuple[str, ...]:
    """Return the names of a row's columns."""
    return (*COLUMNS, "passengers") if with_passengers else COLUMNS


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects the bookings made from `since` until before `until`, in `status`. An empty field selects all."""

    since: datetime | None = None
    until: datetime | None = None
    status: str = ""

    def count(self) -> int:
        """Return how many bookings match now."""
        return self.bookings().count()

    def bookings(self) -> QuerySet[Booking]:
        """Return the bookings, oldest first."""
        bookings = Booking.objects.order_by("created_at", "id")
        if self.since:
            bookings = bookings.filter(created_at__gte=self.since)
        if self.until:
            bookings = bookings.filter(created_at__lt=self.until)
        return bookings.filter(status=self.status) if self.status else bookings


def rows(selection: Selection, *, with_passengers: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each booking, oldest first. Amounts are decimal strings, instants ISO 8601 in UTC."""
    bookings = selection.bookings()
    if with_passengers:
        bookings = bookings.prefetch_related("passengers")
    chunk: list[Booking] = []
    for booking in bookings.iterator(chunk_size=CHUNK):
        chunk.append(booking)
        if len(chunk) == CHUNK:
            yield from _flat(chunk, with_passengers)
            chunk = []
    yield from _flat(chunk, with_passengers)


def _flat(chunk: list[Booking], with_passengers: bool) -> Iterator[dict[str, Any]]:
    money = ledger.paid_and_refunded([booking.id for booking in chunk])
    for booking in chunk:
        paid, refunded = money.get(booking.id, (0, 0))
        row = {
            "reference": booking.reference,
            "status": booking.status,
            "reason": booking.reason,
            "traveller_id": str(booking.traveller_id),
            "departure_id": str(booking.departure_id),
            "title": booking.title_en,
            "starts_at": booking.starts_at.isoformat(),
            "time_zone": booking.time_zone,
            "seats": booking.seats,
            "currency": booking.currency,
            "total": _amount(booking.total_minor, booking.currency),
            "paid": _amount(paid, booking.currency),
            "refunded": _amount(refunded, booking.currency),
            "created_at": booking.created_at.isoformat(),
        }
        if with_passengers:
            row["passengers"] = "; ".join(str(passenger) for passenger in booking.passengers.all())
        yield row


def _amount(minor: int, currency: str) -> str:
    return str(Money.from_minor(minor, currency).amount)
