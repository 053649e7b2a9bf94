"""`manage SERVICE outbox_doctor`: check whether events reach Kafka."""

from typing import Any

from django.core.management.base import CommandParser

from shared.commands import OperatorCommand, count
from shared.outbox import health


class Command(OperatorCommand):
    """Show the state of the outbox. Changes nothing."""

    help = (
        "Show which events wait in the outbox, for how long, and whether a relay is active."
        " Exit code 1 if events are late."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--late", type=count, default=30, help="Seconds after which an event is late (default 30).")

    def work(self, **options: Any) -> bool:
        """Return whether a relay is active and no event is late."""
        state = health.state()
        if state.waiting:
            columns = ("topic", "waiting", "oldest (s)")
            self.table("Waiting", columns, ((row.topic, row.waiting, row.oldest_seconds) for row in state.waiting))
        total = sum(row.waiting for row in state.waiting)
        oldest = max((row.oldest_seconds for row in state.waiting), default=0)
        relay = "a relay is at work" if state.relay_is_active else "no relay is at work"
        self.stdout.write(
            f"{total:,} events wait, the oldest for {oldest:,} s; {state.delivered:,} delivered are kept; {relay}."
        )
        if state.relay_is_active and oldest > options["late"]:
            self.stdout.write("Events are late although a relay is at work: is Kafka there? See the relay's log.")
        return state.relay_is_active and oldest <= options["late"]
