"""Bookings as flat rows, read by a cursor of the server's: constant memory, however many there are."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bookings_service.bookings.models import Booking
from bookings_service.payments import ledger
from shared.money import Money

CHUNK = 1_000
COLUMNS = (
    "reference", "status", "reason", "traveller_id", "departure_id", "title", "starts_at", "time_zone", "seats", "currency",
    "total", "paid", "refunded", "created_at",
)  # fmt: skip


def columns(*, with_passengers: bool) -> tuple[str, ...]:
    """Return the names of what a row holds."""
    return (*COLUMNS, "passengers") if with_passengers else COLUMNS


def rows(
    *, since: datetime | None, until: datetime | None, status: str, with_passengers: bool
) -> Iterator[dict[str, Any]]:
    """Yield the bookings made from `since` to before `until`, oldest first; amounts are decimals in strings, instants ISO 8601 in UTC."""
    found = Booking.objects.order_by("created_at", "id")
    if since:
        found = found.filter(created_at__gte=since)
    if until:
        found = found.filter(created_at__lt=until)
    if status:
        found = found.filter(status=status)
    if with_passengers:
        found = found.prefetch_related("passengers")
    chunk: list[Booking] = []
    for booking in found.iterator(chunk_size=CHUNK):
        chunk.append(booking)
        if len(chunk) == CHUNK:
            yield from _flat(chunk, with_passengers)
            chunk = []
    yield from _flat(chunk, with_passengers)


def _flat(chunk: list[Booking], with_passengers: bool) -> Iterator[dict[str, Any]]:
    balances = ledger.balances([booking.id for booking in chunk])
    for booking in chunk:
        paid, refunded = balances.get(booking.id, (0, 0))
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
            row["passengers"] = "; ".join(str(one) for one in booking.passengers.all())
        yield row


def _amount(minor: int, currency: str) -> str:
    return str(Money.from_minor(minor, currency).amount)
