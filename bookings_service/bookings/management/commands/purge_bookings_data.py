"""`manage bookings purge_bookings_data`: delete rows that are past their retention."""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services import purge
from shared.commands import OperatorCommand, add_apply, applies


class Command(OperatorCommand):
    """Show what is past its retention, and delete it with --apply."""

    help = "Delete quotes that were never booked, idempotency keys, inbox rows and webhooks past their retention."

    def add_arguments(self, parser: CommandParser) -> None:
        add_apply(parser, "Delete them, in batches")

    def work(self, **options: Any) -> bool:
        """Return True: rows past their retention are no fault."""
        apply, past, deleted = applies(options), purge.count_past(), dict.fromkeys(purge.retentions(), 0)
        if apply:
            with self.progress("Deleting", sum(past.values())) as step:
                for name in past:
                    for batch in purge.purge(name):
                        deleted[name] += batch
                        step(batch)
        columns = ("what", "kept for (days)", "to delete", "deleted")
        kept = purge.retentions()
        self.table("Retention", columns, ((name, kept[name].days, past[name], deleted[name]) for name in past))
        self.stdout.write(
            f"{sum(deleted.values()):,} rows deleted." if apply else "Nothing was changed. Add --apply to delete them."
        )
        return True
