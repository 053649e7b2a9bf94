"""`manage bookings check_ledger`: do the books add up?"""

from typing import Any

from bookings_service.payments import audit
from shared.commands import OperatorCommand


class Command(OperatorCommand):
    """Read every rule of the books; change nothing."""

    help = "Hold ledger, payments, refunds and bookings against one another. Read-only; exit code 1 where they do not add up."

    def work(self, **options: Any) -> bool:
        """Return whether every rule holds."""
        found = audit.discrepancies()
        self.table("Balances", ("account", "amount"), ((one.account, one.amount) for one in audit.balances()))
        if found:
            self.table(
                "What does not add up", ("rule", "of", "how"), ((one.rule, one.subject, one.detail) for one in found)
            )
        self.stdout.write(
            f"{len(audit.RULES)} rules, {len(found):,} broken by {len({f.subject for f in found}):,} records."
        )
        return not found
