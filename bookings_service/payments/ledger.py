"""The ledger: every capture and refund, twice, so that it sums to nothing. What is paid and refunded derives from it alone."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from bookings_service.bookings.models import Booking
from bookings_service.payments.models import LedgerEntry
from shared.money import Money


def capture(booking: Booking, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that the provider took `amount` from the traveller, inside the caller's transaction."""
    _record(booking, movement=movement, kind=LedgerEntry.Kind.CAPTURE, amount=amount, now=now)


def refund(booking: Booking, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that the provider gave `amount` back to the traveller, inside the caller's transaction."""
    _record(booking, movement=movement, kind=LedgerEntry.Kind.REFUND, amount=-amount, now=now)


def balances(booking_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return what was paid and refunded of each booking, in minor units, (0, 0) left out."""
    rows = (
        LedgerEntry.objects.filter(booking_id__in=booking_ids, account=LedgerEntry.Account.PROVIDER)
        .values_list("booking_id", "kind")
        .annotate(Sum("amount_minor"))
    )
    found: dict[UUID, tuple[int, int]] = {}
    for booking_id, kind, amount in rows:
        paid, refunded = found.get(booking_id, (0, 0))
        found[booking_id] = (amount, refunded) if kind == LedgerEntry.Kind.CAPTURE else (paid, -amount)
    return found


def _record(booking: Booking, *, movement: UUID, kind: LedgerEntry.Kind, amount: Money, now: datetime) -> None:
    sides = ((LedgerEntry.Account.PROVIDER, amount), (LedgerEntry.Account.TRAVELLER, -amount))
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            movement=movement, booking=booking, account=account, kind=kind, amount_minor=side.minor,
            currency=side.currency, at=now,
        )
        for account, side in sides
    )  # fmt: skip
