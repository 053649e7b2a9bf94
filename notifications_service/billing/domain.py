"""The rules of invoices and credit notes: what their lines are and how their numbers read.

Pure: takes values, returns values or raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import Conflict
from shared.money import Money
from shared.text import Text


class Kind(StrEnum):
    """What a document is: a demand that was paid, or the giving back of some of it."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


PREFIXES: Final = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}

REFUND_LABEL: Final = Text(en="Refund of booking {reference}", fr="Remboursement de la réservation {reference}")


class InvoiceDoesNotAddUp(Conflict):
    """The lines of a booking do not sum to its total: no invoice is made of them."""

    code = "INVOICE_DOES_NOT_ADD_UP"
    text = Text(en="The lines do not sum to the total.", fr="Les lignes ne correspondent pas au total.")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document. `total` is quantity times unit price where there is one; `tax` is contained in it."""

    label: Text
    quantity: int
    unit_price: Money
    total: Money
    tax: Money


def series(kind: Kind, year: int) -> str:
    """Return the series that a number is drawn from: each kind and year counts 1, 2, 3 … without a gap."""
    return f"{PREFIXES[kind]}-{year}"


def number(series_name: str, count: int) -> str:
    """Return the document's number: INV-2026-000001."""
    return f"{series_name}-{count:06d}"


def checked(lines: tuple[Line, ...], total: Money) -> tuple[Line, ...]:
    """Return `lines` where they sum to `total`. Raises InvoiceDoesNotAddUp."""
    if sum((line.total.minor for line in lines), 0) != total.minor or not lines:
        raise InvoiceDoesNotAddUp(total=str(total))
    return lines


def refund_line(*, reference: str, amount: Money, invoiced: tuple[Line, ...]) -> Line:
    """Return the one line of a credit note; its tax is the invoice's, in the proportion that comes back."""
    total = sum(line.total.minor for line in invoiced)
    tax = sum(line.tax.minor for line in invoiced)
    returned = Money.rounded(amount.amount * tax / total, amount.currency) if total else Money.zero(amount.currency)
    return Line(
        label=REFUND_LABEL.filled(reference=reference), quantity=1, unit_price=amount, total=amount, tax=returned
    )
