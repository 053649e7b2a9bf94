"""`manage bookings reconcile_payments`: what does the provider say of our payments and refunds?"""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services.payment import reconcile
from bookings_service.bookings.services.refund import owed, pay_out
from bookings_service.payments.domain import OWED
from shared.commands import OperatorCommand, add_apply, applies, count, day
from shared.db import database_now
from shared.errors import Unavailable

LATE = 600


class Command(OperatorCommand):
    """Show what has no end, ask the provider where asked to, and hold what has ended against what it says."""

    help = (
        "Show payments whose end is not known and refunds that are not paid out, and ask the provider after them. Exit code 1"
        " where one is late, a refund has failed, or the provider contradicts or does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=day, help="Also compare payments begun on this day or later that have ended."
        )
        late = f"Seconds after which what has no end is late (default {LATE})."
        parser.add_argument("--late", type=count, default=LATE, help=late)
        add_apply(parser, "Ask for every payment and refund without an end now, and record the answers")

    def work(self, **options: Any) -> bool:
        """Return whether nothing is late or failed, and the provider agrees with what was compared."""
        apply, since = applies(options), options["since"]
        late_before = database_now() - timedelta(seconds=options["late"])
        payments_are_well = self._payments(apply=apply, since=since, late_before=late_before)
        return self._refunds(apply=apply, late_before=late_before) and payments_are_well

    def _payments(self, *, apply: bool, since: datetime | None, late_before: datetime) -> bool:
        waiting = reconcile.unsettled()
        columns = ("payment", "booking", "status", "amount", "begun (UTC)", "last asked (UTC)")
        rows = ((w.id, w.reference, w.status, w.amount, _at(w.begun_at), _at(w.asked_at)) for w in waiting)
        self.table("Payments without an end", columns, rows)
        left, silent = self._ask(waiting) if apply else (waiting, 0)
        wrong, unanswered = self._compare(since) if since else (0, 0)
        late, settled = sum(one.begun_at < late_before for one in left), len(waiting) - len(left)
        self.stdout.write(
            f"Payments: {len(waiting):,} without an end, {settled:,} settled now, {late:,} late, {wrong:,} contradicted,"
            f" {silent + unanswered:,} not answered."
        )
        return not (late or wrong or silent or unanswered)

    def _ask(self, waiting: list[reconcile.Unsettled]) -> tuple[list[reconcile.Unsettled], int]:
        left, silent = [], 0
        with self.progress("Asking the provider", len(waiting)) as step:
            for payment in waiting:
                try:
                    if reconcile.ask_after(payment_id=payment.id) in reconcile.LIVE:
                        left.append(payment)
                except Unavailable:
                    left.append(payment)
                    silent += 1
                step()
        return left, silent

    def _compare(self, since: datetime) -> tuple[int, int]:
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
        columns = ("payment", "booking", "recorded", "the provider says")
        self.table("Contradicted: for finance", columns, ((w.id, w.reference, w.recorded, w.told) for w in wrong))
        return len(wrong), unanswered

    def _refunds(self, *, apply: bool, late_before: datetime) -> bool:
        before = owed.owed_refunds()
        columns = ("refund", "booking", "status", "amount", "attempts", "owed since (UTC)", "next attempt (UTC)")
        self.table(
            "Refunds not paid out",
            columns,
            (
                (
                    o.id,
                    o.reference,
                    o.status,
                    o.amount,
                    o.attempts,
                    _at(o.begun_at),
                    _at(o.next_at) if o.next_at else "for finance",
                )
                for o in before
            ),
        )
        if apply:
            asked = [one for one in before if one.status in OWED]
            with self.progress("Asking for refunds", len(asked)) as step:
                for one in asked:
                    pay_out.pay_out_now(refund_id=one.id)
                    step()
        after = owed.owed_refunds() if apply else before
        failed = sum(one.has_failed for one in after)
        late = sum(one.begun_at < late_before and not one.has_failed for one in after)
        gone = {one.id for one in before} - {one.id for one in after}
        self.stdout.write(
            f"Refunds: {len(before):,} not paid out, {len(gone):,} paid out now, {late:,} late, {failed:,} failed."
        )
        return not (failed or late)


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
