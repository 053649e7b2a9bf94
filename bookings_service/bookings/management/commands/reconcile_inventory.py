"""`manage bookings reconcile_inventory`: are the seat counters what the bookings say, and the departures what the catalogue says?"""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services.seats import audit
from bookings_service.bookings.services.seats import catalogue as compare
from shared.commands import OperatorCommand, add_apply, applies


class Command(OperatorCommand):
    """Compare, show what differs, and set it right where asked to."""

    help = (
        "Compare the seat counters of every departure with its bookings, offers and quotes, and where asked to with the"
        " catalogue. Exit code 1 where they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        catalogue = "Also compare the departures that are to come with what destinations says of them now."
        parser.add_argument("--catalogue", action="store_true", help=catalogue)
        add_apply(
            parser, "Set the counters right, each under its departure's lock, and take over what the catalogue says"
        )

    def work(self, **options: Any) -> bool:
        """Return whether every counter is right now, and every departure what the catalogue says."""
        apply = applies(options)
        counters_are_right = self._counters(apply=apply)
        return (not options["catalogue"] or self._catalogue(apply=apply)) and counters_are_right

    def _counters(self, *, apply: bool) -> bool:
        drifts = audit.drifts()
        oversold = [drift for drift in drifts if drift.is_oversold]
        columns = ("departure", "capacity", "held", "should hold", "sold", "should be sold", "")
        rows = (
            (d.departure_id, d.capacity, d.held, d.should_hold, d.sold, d.should_sell, "OVERSOLD" if d.is_oversold else "")
            for d in drifts
        )  # fmt: skip
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

    def _catalogue(self, *, apply: bool) -> bool:
        count, different = 0, []
        with self.progress("Asking the catalogue", audit.departures_count()) as step:
            for batch in compare.compare_with_catalogue():
                count += len(batch)
                different += [one for one in batch if one.difference]
                step(len(batch))
        columns = ("departure", "capacity", "in the catalogue", "taken", "")
        rows = (
            (d.departure_id, d.capacity, d.told.capacity if d.told else "", d.taken, d.difference) for d in different
        )
        self.table("Not as the catalogue says", columns, rows)
        behind = sum(one.difference is compare.Difference.BEHIND for one in different)
        if apply:
            for one in different:
                compare.take_over(one)
        oversold = sum(one.difference is compare.Difference.OVERSOLD for one in different)
        mended = behind if apply else 0
        self.stdout.write(
            f"Catalogue: {count:,} departures to come, {len(different):,} differ, {mended:,} set right, {oversold:,} oversold."
        )
        return len(different) == mended
