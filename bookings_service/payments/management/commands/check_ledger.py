"""`manage bookings check_ledger`: check that ledger, payments, refunds and bookings agree."""

from typing import Any

from bookings_service.payments import audit
from shared.commands import OperatorCommand


class Command(OperatorCommand):
    """Check every rule; change nothing."""

    help = "Check that ledger, payments, refunds and bookings agree. Read-only. Exit code 1 if they do not."

    def work(self, **options: Any) -> bool:
        """Return whether every rule holds."""
        broken = audit.discrepancies()
        self.table("Balances", ("account", "amount"), ((row.account, row.amount) for row in audit.balances()))
        if broken:
            self.table(
                "Broken rules", ("rule", "broken by", "how"), ((row.rule, row.subject, row.detail) for row in broken)
            )
        self.stdout.write(
            f"{len(audit.RULES)} rules checked, {len(broken):,} discrepancies"
            f" in {len({row.subject for row in broken}):,} records."
        )
        return not broken
