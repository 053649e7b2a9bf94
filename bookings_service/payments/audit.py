"""Checks that the ledger, payments, refunds and bookings agree. Read-only; each rule is one SQL statement.

Some rules read the table `bookings_booking` by SQL, because payments imports nothing of bookings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from shared.money import Money


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A rule that does not hold, the row that breaks it, and what is wrong."""

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum of an account in one currency."""

    account: str
    amount: Money


# Each statement returns a subject and what is wrong with it. It returns no row if the rule holds.
RULES: Final[Mapping[str, str]] = {
    "a movement balances": """
        SELECT movement, format('%s entries sum to %s', count(*), sum(amount_minor)) FROM payments_ledgerentry
        GROUP BY movement HAVING sum(amount_minor) <> 0 OR count(DISTINCT currency) <> 1 OR count(*) <> 2""",
    "a captured payment is in the ledger, once and whole": """
        SELECT p.id, format('%s %s captured, %s in the ledger', p.amount_minor, p.currency, coalesce(l.amount_minor, 0))
        FROM payments_payment p LEFT JOIN payments_ledgerentry l
            ON l.movement = p.id AND l.kind = 'CAPTURE' AND l.account = 'PROVIDER'
        WHERE p.status = 'SUCCEEDED' AND (l.id IS NULL OR (l.amount_minor, l.currency) <> (p.amount_minor, p.currency))""",
    "a capture in the ledger has a captured payment": """
        SELECT l.movement, 'the ledger has a capture, but no payment SUCCEEDED' FROM payments_ledgerentry l
        LEFT JOIN payments_payment p ON p.id = l.movement AND p.status = 'SUCCEEDED'
        WHERE l.kind = 'CAPTURE' AND l.account = 'PROVIDER' AND p.id IS NULL""",
    "a refund paid out is in the ledger, once and whole": """
        SELECT r.id, format('%s %s paid out, %s in the ledger', r.amount_minor, r.currency, coalesce(-l.amount_minor, 0))
        FROM payments_refund r LEFT JOIN payments_ledgerentry l
            ON l.movement = r.id AND l.kind = 'REFUND' AND l.account = 'PROVIDER'
        WHERE r.status = 'SUCCEEDED' AND (l.id IS NULL OR (-l.amount_minor, l.currency) <> (r.amount_minor, r.currency))""",
    "a refund in the ledger was paid out": """
        SELECT l.movement, 'the ledger has a refund, but no refund SUCCEEDED' FROM payments_ledgerentry l
        LEFT JOIN payments_refund r ON r.id = l.movement AND r.status = 'SUCCEEDED'
        WHERE l.kind = 'REFUND' AND l.account = 'PROVIDER' AND r.id IS NULL""",
    "refunded_minor of a payment is the sum of its refunds": """
        SELECT p.id, format('refunded_minor is %s, its refunds sum to %s', p.refunded_minor, coalesce(sum(r.amount_minor), 0))
        FROM payments_payment p LEFT JOIN payments_refund r ON r.payment_id = p.id
        GROUP BY p.id HAVING p.refunded_minor <> coalesce(sum(r.amount_minor), 0)""",
    "a confirmed booking is paid": """
        SELECT b.reference, format('costs %s %s, captured %s', b.total_minor, b.currency, coalesce(sum(l.amount_minor), 0))
        FROM bookings_booking b LEFT JOIN payments_ledgerentry l
            ON l.booking_id = b.id AND l.kind = 'CAPTURE' AND l.account = 'PROVIDER'
        WHERE b.status = 'CONFIRMED' GROUP BY b.id HAVING coalesce(sum(l.amount_minor), 0) <> b.total_minor""",
    "nothing is owed for a cancelled booking after its refunds are paid out": """
        SELECT b.reference, format('still owes %s %s', -sum(l.amount_minor), b.currency)
        FROM bookings_booking b JOIN payments_ledgerentry l ON l.booking_id = b.id AND l.account = 'TRAVELLER'
        WHERE b.status = 'CANCELLED' AND NOT EXISTS (SELECT FROM payments_refund r
            WHERE r.booking_id = b.id AND r.status <> 'SUCCEEDED' AND r.written_off_at IS NULL)
        GROUP BY b.id HAVING sum(l.amount_minor) <> 0""",
    "a booking has one currency": """
        SELECT b.reference, format('ledger entries in %s', string_agg(DISTINCT l.currency, ', '))
        FROM bookings_booking b JOIN payments_ledgerentry l ON l.booking_id = b.id
        WHERE l.currency <> b.currency GROUP BY b.id""",
}


def discrepancies() -> list[Discrepancy]:
    """Return everything that breaks a rule. All rules see the same snapshot of the database."""
    broken = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for rule, query in RULES.items():
            cursor.execute(query)
            broken += [Discrepancy(rule, str(subject), detail) for subject, detail in cursor.fetchall()]
    return broken


def balances() -> list[Balance]:
    """Return the sum of each account, currency by currency."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account, currency, sum(amount_minor) FROM payments_ledgerentry GROUP BY account, currency"
            " ORDER BY currency, account"
        )
        return [
            Balance(account, Money.from_minor(int(minor), currency)) for account, currency, minor in cursor.fetchall()
        ]
