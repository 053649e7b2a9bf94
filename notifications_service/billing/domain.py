"""The rules of invoices and credit notes: their lines and their numbers.

Pure: takes values, returns values or raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import Conflict
from shared.money import Money
from shared.text import Text


class Kind(StrEnum):
    """The kind of a document: an invoice, or a credit note for money that was refunded."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


PREFIXES: Final = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}

REFUND_LABEL: Final = Text(en="Refund of booking {reference}", fr="Remboursement de la réservation {reference}")


class InvoiceDoesNotAddUp(Conflict):
    """The lines of a booking do not sum to its total, so no invoice is issued."""

    code = "INVOICE_DOES_NOT_ADD_UP"
    text = Text(en="The lines do not sum to the total.", fr="Les lignes ne correspondent pas au total.")


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price line of a booking, and the invoice line made of it.

    `total` is quantity times unit price, and includes `tax`.
    """

    label: Text
    quantity: int
    unit_price: Money
    total: Money
    tax: Money


def series(kind: Kind, year: int) -> str:
    """Return the name of the number series. Each kind and year counts 1, 2, 3 … without a gap."""
    return f"{PREFIXES[kind]}-{year}"


def number(series_name: str, count: int) -> str:
    """Return the document's number: INV-2026-000001."""
    return f"{series_name}-{count:06d}"


def check_sum(lines: tuple[PriceLine, ...], total: Money) -> None:
    """Raise InvoiceDoesNotAddUp if there are no lines, or they do not sum to `total`."""
    if sum((line.total.minor for line in lines), 0) != total.minor or not lines:
        raise InvoiceDoesNotAddUp(total=str(total))


def refund_line(*, reference: str, amount: Money, invoiced: tuple[PriceLine, ...]) -> PriceLine:
    """Return the only line of a credit note. Of the invoice's tax, it has the same share as of the total."""
    total = sum(line.total.minor for line in invoiced)
    tax = sum(line.tax.minor for line in invoiced)
    returned = Money.rounded(amount.amount * tax / total, amount.currency) if total else Money.zero(amount.currency)
    return PriceLine(
        label=REFUND_LABEL.filled(reference=reference), quantity=1, unit_price=amount, total=amount, tax=returned
    )
