"""`manage bookings reconcile_payments`: compare payments and refunds with what the provider says."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.selectors.payments import LivePayment, ended_payments_made_since, live_payments
from bookings_service.bookings.selectors.refunds import owed_refunds
from bookings_service.bookings.services.payment import reconcile
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.domain import LIVE, UNDER_WAY
from shared.commands import OperatorCommand, add_apply, applies, count, day
from shared.db import database_now
from shared.errors import Unavailable

LATE = 600


class Command(OperatorCommand):
    """Show live payments and owed refunds. --apply asks the provider about them; --since compares ended payments."""

    help = (
        "Show live payments, and refunds that are not paid out. With --apply, ask the provider about them."
        " Exit code 1 if one is late, if a refund has failed, or if the provider contradicts our record"
        " or does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        since = (
            "Also compare ended payments that began on this day or later."
            " Warning: even without --apply, this may cancel a declined attempt at the provider."
        )
        parser.add_argument("--since", type=day, help=since)
        late = f"Seconds after which a live payment or an owed refund is late (default {LATE})."
        parser.add_argument("--late", type=count, default=LATE, help=late)
        add_apply(parser, "Ask the provider about every live payment and owed refund, and record the answers")

    def work(self, **options: Any) -> bool:
        """Return whether nothing is late or failed, and the provider agrees with what was compared."""
        apply, since = applies(options), options["since"]
        late_before = database_now() - timedelta(seconds=options["late"])
        payments_are_fine = self._payments(apply=apply, since=since, late_before=late_before)
        return self._refunds(apply=apply, late_before=late_before) and payments_are_fine

    def _payments(self, *, apply: bool, since: datetime | None, late_before: datetime) -> bool:
        live = live_payments()
        columns = ("payment", "booking", "status", "amount", "begun (UTC)", "last asked (UTC)")
        rows = ((w.id, w.reference, w.status, w.amount, _at(w.begun_at), _at(w.asked_at)) for w in live)
        self.table("Live payments", columns, rows)
        still_live, silent = self._ask(live) if apply else (live, 0)
        wrong, unanswered = self._compare(since) if since else (0, 0)
        late = sum(payment.begun_at < late_before for payment in still_live)
        ended = len(live) - len(still_live)
        self.stdout.write(
            f"Payments: {len(live):,} live, {ended:,} ended now, {late:,} late, {wrong:,} contradicted,"
            f" {silent + unanswered:,} not answered."
        )
        return not (late or wrong or silent or unanswered)

    def _ask(self, live: list[LivePayment]) -> tuple[list[LivePayment], int]:
        still_live, silent = [], 0
        with self.progress("Asking the provider", len(live)) as step:
            for payment in live:
                try:
                    if reconcile.reconcile_now(payment_id=payment.id) in LIVE:
                        still_live.append(payment)
                except Unavailable:
                    still_live.append(payment)
                    silent += 1
                step()
        return still_live, silent

    def _compare(self, since: datetime) -> tuple[int, int]:
        wrong, unanswered = [], 0
        ended = ended_payments_made_since(since=since)
        with self.progress("Comparing", len(ended)) as step:
            for payment_id in ended:
                try:
                    contradiction = reconcile.contradiction(payment_id=payment_id)
                except Unavailable:
                    contradiction, unanswered = None, unanswered + 1
                wrong += [contradiction] if contradiction else []
                step()
        columns = ("payment", "booking", "recorded", "the provider says")
        self.table(
            "Contradicted by the provider: tell finance",
            columns,
            ((w.id, w.reference, w.recorded, w.reported) for w in wrong),
        )
        return len(wrong), unanswered

    def _refunds(self, *, apply: bool, late_before: datetime) -> bool:
        before = owed_refunds()
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
            to_ask = [refund for refund in before if refund.status in UNDER_WAY]
            with self.progress("Asking for refunds", len(to_ask)) as step:
                for refund in to_ask:
                    pay_out.pay_out_now(refund_id=refund.id)
                    step()
        after = owed_refunds() if apply else before
        failed = sum(refund.has_failed for refund in after)
        late = sum(refund.begun_at < late_before and not refund.has_failed for refund in after)
        paid_out = {refund.id for refund in before} - {refund.id for refund in after}
        self.stdout.write(
            f"Refunds: {len(before):,} not paid out, {len(paid_out):,} paid out now, {late:,} late, {failed:,} failed."
        )
        return not (failed or late)


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
