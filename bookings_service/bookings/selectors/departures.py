"""Read the seats of departures, and count their bookings."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Sum

from bookings_service.bookings.contracts import Seats
from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.payments import ledger
from shared.errors import NotFound
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Affected:
    """The live bookings of a departure in one status and currency. `refundable` is refunded if the departure is cancelled."""

    status: str
    bookings: int
    seats: int
    refundable: Money


def bookings_of_departure(*, departure_id: UUID) -> list[Affected]:
    """Return the live bookings of a departure, counted by status and currency. Raises NotFound for an unknown departure."""
    if not SeatInventory.objects.filter(departure_id=departure_id).exists():
        raise NotFound
    live = Booking.objects.filter(departure_id=departure_id).exclude(status=Status.CANCELLED)
    counted = live.values_list("status", "currency").order_by("status", "currency")
    affected = []
    for status, currency, bookings_, seats in counted.annotate(Count("id"), Sum("seats")):
        ids = list(live.filter(status=status, currency=currency).values_list("id", flat=True))
        affected.append(Affected(status, bookings_, seats, ledger.refundable_of(ids, currency)))
    return affected


def availability(*, departure_ids: Collection[UUID]) -> dict[UUID, Seats]:
    """Return the seats of the known departures. A closed departure has no free seats."""
    rows = SeatInventory.objects.filter(departure_id__in=departure_ids)
    return {
        row.departure_id: Seats(row.held + row.sold if row.closed else row.capacity, row.held, row.sold) for row in rows
    }
