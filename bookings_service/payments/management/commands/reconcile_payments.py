"""`manage bookings reconcile_payments`: what does the provider say of our payments?"""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.payments.services import reconcile
from shared.commands import OperatorCommand, add_apply, applies, day
from shared.errors import Unavailable


class Command(OperatorCommand):
    """Show what is unsettled, ask the provider where asked to, and hold what has ended against what it says."""

    help = "Ask the payment provider after payments whose end is not known. Exit code 1 while some are, or where it contradicts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=day, help="Also compare payments begun on this day or later that have ended."
        )
        add_apply(parser, "Ask after every unsettled payment now, and record the answers")

    def work(self, **options: Any) -> bool:
        """Return whether every payment has an end, and the provider agrees with those that were compared."""
        waiting = reconcile.unsettled()
        if waiting:
            columns = ("payment", "booking", "status", "amount", "last asked (UTC)")
            rows = ((w.id, w.reference, w.status, w.amount, f"{w.asked_at:%Y-%m-%d %H:%M:%S}") for w in waiting)
            self.table("Unsettled payments", columns, rows)
        left = len(waiting)
        if applies(options):
            left = self._ask(waiting)
        wrong, unanswered = self._compare(options["since"]) if options["since"] else (0, 0)
        self.stdout.write(
            f"{len(waiting):,} unsettled, {len(waiting) - left:,} settled now, {wrong:,} contradicted, {unanswered:,} not answered."
        )
        return not (left or wrong or unanswered)

    def _ask(self, waiting: list[reconcile.Unsettled]) -> int:
        left = 0
        with self.progress("Asking the provider", len(waiting)) as step:
            for payment in waiting:
                try:
                    left += reconcile.ask_after(payment_id=payment.id) in reconcile.LIVE
                except Unavailable:
                    left += 1
                step()
        return left

    def _compare(self, since: Any) -> tuple[int, int]:
        wrong, unanswered = [], 0
        ended = reconcile.ended_since(since=since)
        with self.progress("Comparing", len(ended)) as step:
            for payment_id in ended:
                try:
                    found = reconcile.contradiction(payment_id=payment_id)
                except Unavailable:
                    found, unanswered = None, unanswered + 1
                wrong += [found] if found else []
                step()
        if wrong:
            columns = ("payment", "booking", "recorded", "the provider says")
            self.table("Contradicted: for finance", columns, ((w.id, w.reference, w.recorded, w.told) for w in wrong))
        return len(wrong), unanswered
