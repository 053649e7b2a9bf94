"""The ledger: every movement of money twice, so that it sums to nothing. What is paid and refunded derives from it alone.

| movement | account + | account − |
|---|---|---|
| capture | PROVIDER | TRAVELLER |
| refund paid out | TRAVELLER | PROVIDER |
| fee kept of a cancellation | TRAVELLER | FEES |
| write-off of a refund that cannot be paid out | TRAVELLER | WRITE_OFFS |

So −TRAVELLER is what a traveller is owed, as a trip or as money; a cancelled booking whose refunds are paid out owes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from bookings_service.payments.models import LedgerEntry, Payment
from shared.money import Money

_Account = LedgerEntry.Account
_Kind = LedgerEntry.Kind


def record_capture(booking_id: UUID, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that the provider took `amount` from the traveller, inside the caller's transaction."""
    _record(
        booking_id,
        movement=movement,
        kind=_Kind.CAPTURE,
        plus=_Account.PROVIDER,
        minus=_Account.TRAVELLER,
        amount=amount,
        now=now,
    )


def record_refund(booking_id: UUID, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that the provider gave `amount` back to the traveller, inside the caller's transaction."""
    _record(
        booking_id,
        movement=movement,
        kind=_Kind.REFUND,
        plus=_Account.TRAVELLER,
        minus=_Account.PROVIDER,
        amount=amount,
        now=now,
    )


def record_fee(booking_id: UUID, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that `amount` of what was paid is kept as the fee of a cancellation, inside the caller's transaction."""
    _record(
        booking_id,
        movement=movement,
        kind=_Kind.FEE,
        plus=_Account.TRAVELLER,
        minus=_Account.FEES,
        amount=amount,
        now=now,
    )


def record_write_off(booking_id: UUID, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record that `amount` is owed and will never be paid out, inside the caller's transaction."""
    _record(
        booking_id,
        movement=movement,
        kind=_Kind.WRITE_OFF,
        plus=_Account.TRAVELLER,
        minus=_Account.WRITE_OFFS,
        amount=amount,
        now=now,
    )


def refundable(booking_id: UUID, currency: str) -> Money:
    """Return what of the booking's payments was neither refunded, refunds under way included, nor kept as a fee."""
    return refundable_of([booking_id], currency)


def refundable_of(booking_ids: Collection[UUID], currency: str) -> Money:
    """Return the sum of what is refundable of bookings that are all in `currency`."""
    of_bookings = LedgerEntry.objects.filter(booking_id__in=booking_ids, account=_Account.TRAVELLER)
    captured = -of_bookings.filter(kind=_Kind.CAPTURE).aggregate(sum=Sum("amount_minor", default=0))["sum"]
    kept = of_bookings.filter(kind=_Kind.FEE).aggregate(sum=Sum("amount_minor", default=0))["sum"]
    payments = Payment.objects.filter(booking_id__in=booking_ids)
    given_back = payments.aggregate(sum=Sum("refunded_minor", default=0))["sum"]
    return Money.from_minor(int(captured - kept - given_back), currency)


def balances(booking_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return what was paid and refunded of each booking, in minor units, (0, 0) left out."""
    rows = (
        LedgerEntry.objects.filter(booking_id__in=booking_ids, account=_Account.PROVIDER)
        .values_list("booking_id", "kind")
        .annotate(Sum("amount_minor"))
    )
    found: dict[UUID, tuple[int, int]] = {}
    for booking_id, kind, amount in rows:
        paid, refunded = found.get(booking_id, (0, 0))
        found[booking_id] = (amount, refunded) if kind == _Kind.CAPTURE else (paid, -amount)
    return found


def _record(
    booking_id: UUID, *, movement: UUID, kind: _Kind, plus: _Account, minus: _Account, amount: Money, now: datetime
) -> None:
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            movement=movement, booking_id=booking_id, account=account, kind=kind, amount_minor=side.minor,
            currency=side.currency, at=now,
        )
        for account, side in ((plus, amount), (minus, -amount))
    )  # fmt: skip
