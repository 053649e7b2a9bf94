"""`manage bookings reconcile_inventory`: are the seat counters what the bookings say?"""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services import audit
from shared.commands import OperatorCommand, add_apply, applies


class Command(OperatorCommand):
    """Compare, show what differs, and set it right where asked to."""

    help = "Compare the seat counters of every departure with its bookings, offers and quotes. Exit code 1 where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        add_apply(parser, "Set the counters right, each under its departure's lock")

    def work(self, **options: Any) -> bool:
        """Return whether every counter is right now."""
        apply = applies(options)
        drifts = audit.drifts()
        oversold = [drift for drift in drifts if drift.is_oversold]
        if drifts:
            columns = ("departure", "capacity", "held", "should hold", "sold", "should be sold", "")
            rows = (
                (
                    d.departure_id,
                    d.capacity,
                    d.held,
                    d.should_hold,
                    d.sold,
                    d.should_sell,
                    "OVERSOLD" if d.is_oversold else "",
                )
                for d in drifts
            )
            self.table("Counters that are wrong", columns, rows)
        mended = 0
        if apply:
            with self.progress("Setting counters right", len(drifts)) as step:
                for drift in drifts:
                    mended += audit.mend_counters(departure_id=drift.departure_id) is not None and not drift.is_oversold
                    step()
        self.stdout.write(
            f"{audit.departures_count():,} departures, {len(drifts):,} wrong, {mended:,} set right, {len(oversold):,} oversold."
        )
        return not oversold and (apply or not drifts)
