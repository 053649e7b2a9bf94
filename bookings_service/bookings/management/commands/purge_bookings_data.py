"""`manage bookings purge_bookings_data`: what nobody needs any more goes."""

from typing import Any

from django.core.management.base import CommandParser

from bookings_service.bookings.services import purge
from shared.commands import OperatorCommand, add_apply, applies


class Command(OperatorCommand):
    """Show what is past its retention, and delete it where asked to."""

    help = "Delete quotes that were never booked, idempotency keys, inbox rows and webhooks past their retention."

    def add_arguments(self, parser: CommandParser) -> None:
        add_apply(parser, "Delete them, in batches")

    def work(self, **options: Any) -> bool:
        """Return True: data to delete is nothing wrong."""
        apply, past, gone = applies(options), purge.count_past(), dict.fromkeys(purge.retentions(), 0)
        if apply:
            with self.progress("Deleting", sum(past.values())) as step:
                for name in past:
                    for batch in purge.purge(name):
                        gone[name] += batch
                        step(batch)
        columns = ("what", "kept for (days)", "past it", "deleted")
        kept = purge.retentions()
        self.table("Retention", columns, ((name, kept[name].days, past[name], gone[name]) for name in past))
        self.stdout.write(f"{sum(gone.values()):,} rows deleted." if apply else "Nothing was changed: --apply deletes.")
        return True
