"""`manage users purge_users_data`: delete rows that are past their retention."""

from typing import Any

from django.core.management.base import CommandParser

from shared.commands import OperatorCommand, add_apply, applies
from users_service.accounts.services import purge


class Command(OperatorCommand):
    """Show what is past its retention, and delete it with --apply."""

    help = (
        "Delete expired links, registrations and phone codes, and sessions that ended 180 days ago."
        " The gRPC process does it every hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_apply(parser, "Delete them, in batches")

    def work(self, **options: Any) -> bool:
        """Return True: rows past their retention are no fault."""
        apply, past, deleted = applies(options), purge.count_past(), dict.fromkeys(purge.KINDS, 0)
        if apply:
            with self.progress("Deleting", sum(past.values())) as step:
                for name in past:
                    for batch in purge.purge(name):
                        deleted[name] += batch
                        step(batch)
        columns = ("what", "kept for (hours)", "to delete", "deleted")
        hours = {name: int(kind.kept.total_seconds()) // 3600 for name, kind in purge.KINDS.items()}
        self.table("Retention", columns, ((name, hours[name], past[name], deleted[name]) for name in past))
        self.stdout.write(
            f"{sum(deleted.values()):,} rows deleted." if apply else "Nothing was changed. Add --apply to delete them."
        )
        return True
