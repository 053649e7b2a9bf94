"""The double-entry ledger: each movement of money is two entries that sum to zero.

What a booking has paid, and which refunds were paid out, derive only from the ledger.

| movement | account + | account − |
|---|---|---|
| capture | PROVIDER | TRAVELLER |
| refund paid out | TRAVELLER | PROVIDER |
| fee kept of a cancellation | TRAVELLER | FEES |
| write-off of a refund that cannot be paid out | TRAVELLER | WRITE_OFFS |

The balance of TRAVELLER is never positive. A negative balance is what we owe the traveller: the trip, or money. The
balance of a cancelled booking is zero after its refunds are paid out.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Sum

from bookings_service.payments.models import LedgerEntry, Payment
from shared.money import Money

Account = LedgerEntry.Account
Kind = LedgerEntry.Kind
# The accounts that each kind of movement adds to and takes from.
_ACCOUNTS: Final = {
    Kind.CAPTURE: (Account.PROVIDER, Account.TRAVELLER),
    Kind.REFUND: (Account.TRAVELLER, Account.PROVIDER),
    Kind.FEE: (Account.TRAVELLER, Account.FEES),
    Kind.WRITE_OFF: (Account.TRAVELLER, Account.WRITE_OFFS),
}
# What a SELECT over a booking's entries of the account PROVIDER reads: paid and paid-out refunds, in minor units.
PAID_AND_REFUNDED: Final = """
    coalesce(sum(amount_minor) FILTER (WHERE kind = 'CAPTURE'), 0)::bigint,
    coalesce(-sum(amount_minor) FILTER (WHERE kind <> 'CAPTURE'), 0)::bigint"""


def record(kind: Kind, booking_id: UUID, *, movement: UUID, amount: Money, now: datetime) -> None:
    """Record a movement of `amount` as two entries, inside the caller's transaction.

    `movement` is the id of the payment, refund or cancellation quote that moves the money.
    """
    plus, minus = _ACCOUNTS[kind]
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            movement=movement, booking_id=booking_id, account=account, kind=kind, amount_minor=side.minor,
            currency=side.currency, at=now,
        )
        for account, side in ((plus, amount), (minus, -amount))
    )  # fmt: skip


def refundable(booking_id: UUID, currency: str) -> Money:
    """Return captures − fees − requested refunds. A refund counts as soon as it is recorded."""
    return refundable_of([booking_id], currency)


def refundable_of(booking_ids: Collection[UUID], currency: str) -> Money:
    """Return the sum of what is refundable of several bookings. All of them must be in `currency`."""
    of_bookings = LedgerEntry.objects.filter(booking_id__in=booking_ids, account=Account.TRAVELLER)
    captured = -of_bookings.filter(kind=Kind.CAPTURE).aggregate(sum=Sum("amount_minor", default=0))["sum"]
    fees = of_bookings.filter(kind=Kind.FEE).aggregate(sum=Sum("amount_minor", default=0))["sum"]
    payments = Payment.objects.filter(booking_id__in=booking_ids)
    requested = payments.aggregate(sum=Sum("refunded_minor", default=0))["sum"]
    return Money.from_minor(int(captured - fees - requested), currency)


def paid_and_refunded(booking_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return (paid, paid-out refunds) of each booking in minor units. A booking without either is left out."""
    rows = (
        LedgerEntry.objects.filter(booking_id__in=booking_ids, account=Account.PROVIDER)
        .values_list("booking_id", "kind")
        .annotate(Sum("amount_minor"))
    )
    sums: dict[UUID, tuple[int, int]] = {}
    for booking_id, kind, amount in rows:
        paid, refunded = sums.get(booking_id, (0, 0))
        sums[booking_id] = (amount, refunded) if kind == Kind.CAPTURE else (paid, -amount)
    return sums
