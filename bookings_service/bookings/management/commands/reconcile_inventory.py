"""`manage bookings reconcile_inventory`: compare seat counters with bookings, and departures with the catalogue."""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services.seats import audit, compare_catalogue
from shared.commands import OperatorCommand, add_apply, applies


class Command(OperatorCommand):
    """Compare, show the differences, and correct them with --apply."""

    help = (
        "Compare the seat counters of every departure with its bookings, offers and quotes."
        " With --catalogue, also compare departures with the catalogue."
        " Exit code 1 if a difference remains, or if a departure was found oversold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        catalogue = "Also compare future departures with what destinations_service says of them now."
        parser.add_argument("--catalogue", action="store_true", help=catalogue)
        add_apply(parser, "Correct each counter under its departure's lock, and take over what the catalogue says")

    def work(self, **options: Any) -> bool:
        """Return whether, after the corrections, every counter is right and every departure matches the catalogue.

        Return False also if a departure was oversold, because people must decide.
        """
        apply = applies(options)
        counters_are_right = self._counters(apply=apply)
        return (not options["catalogue"] or self._catalogue(apply=apply)) and counters_are_right

    def _counters(self, *, apply: bool) -> bool:
        drifts = audit.drifts()
        oversold = [drift for drift in drifts if drift.is_oversold]
        columns = ("departure", "capacity", "held", "held (counted)", "sold", "sold (counted)", "problem")
        rows = (
            (d.departure_id, d.capacity, d.held, d.counted_held, d.sold, d.counted_sold,
             "OVERSOLD" if d.is_oversold else "")
            for d in drifts
        )  # fmt: skip
        self.table("Counters that are wrong", columns, rows)
        corrected = 0
        if apply:
            with self.progress("Setting counters right", len(drifts)) as step:
                for drift in drifts:
                    corrected += (
                        audit.correct_counters(departure_id=drift.departure_id) is not None and not drift.is_oversold
                    )
                    step()
        self.stdout.write(
            f"{audit.departures_count():,} departures, {len(drifts):,} wrong,"
            f" {corrected:,} set right, {len(oversold):,} oversold."
        )
        return not oversold and (apply or not drifts)

    def _catalogue(self, *, apply: bool) -> bool:
        count, different = 0, []
        with self.progress("Asking the catalogue", audit.departures_count()) as step:
            for batch in compare_catalogue.compare_with_catalogue():
                count += len(batch)
                different += [comparison for comparison in batch if comparison.difference]
                step(len(batch))
        columns = ("departure", "capacity", "in the catalogue", "taken", "problem")
        rows = (
            (d.departure_id, d.capacity, d.snapshot.capacity if d.snapshot else "", d.taken, d.difference)
            for d in different
        )
        self.table("Departures that differ from the catalogue", columns, rows)
        out_of_date = sum(comparison.difference is compare_catalogue.Difference.OUT_OF_DATE for comparison in different)
        if apply:
            for comparison in different:
                compare_catalogue.apply_snapshot_of(comparison)
        oversold = sum(comparison.difference is compare_catalogue.Difference.OVERSOLD for comparison in different)
        corrected = out_of_date if apply else 0
        self.stdout.write(
            f"Catalogue: {count:,} departures to come, {len(different):,} differ,"
            f" {corrected:,} set right, {oversold:,} oversold."
        )
        return len(different) == corrected
