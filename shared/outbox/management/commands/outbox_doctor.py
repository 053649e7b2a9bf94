"""`manage SERVICE outbox_doctor`: check whether events reach Kafka, and decide about events that were set aside."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from shared.commands import MISUSED, OperatorCommand, count
from shared.outbox import health, resolving
from shared.outbox.health import SetAside, State


class Command(OperatorCommand):
    """Show the state of the outbox. With `--retry` or `--discard`, first decide about an event that was set aside."""

    help = (
        "Show which events wait in the outbox, which are set aside, and whether a relay is active. Exit code 1 if"
        " events are late or set aside, or no relay is active."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--late", type=count, default=30, help="Seconds after which an event is late (default 30).")
        parser.add_argument("--retry", type=count, metavar="ID", help="Send an event that was set aside again.")
        parser.add_argument("--discard", type=count, metavar="ID", help="Give an event that was set aside up for good.")
        parser.add_argument("--reason", type=_reason, metavar="TEXT", help="Why the event is discarded.")
        parser.add_argument("--yes", action="store_true", help="Discard. Without it, nothing is changed.")

    def work(self, **options: Any) -> bool:
        """Return whether a relay is active, and no event is late or set aside."""
        if options["retry"] and options["discard"]:
            raise CommandError("--retry and --discard exclude each other.", returncode=MISUSED)
        if bool(options["discard"]) != bool(options["reason"]) or (options["yes"] and not options["discard"]):
            raise CommandError("--discard ID needs --reason TEXT, and --yes goes with them.", returncode=MISUSED)
        if options["retry"]:
            return self._retry(options["retry"])
        if options["discard"]:
            return self._discard(options["discard"], reason=options["reason"], certain=options["yes"])
        return self._show(health.state(retention=settings.OUTBOX_RETENTION), late=options["late"])

    def _retry(self, event_id: int) -> bool:
        event = resolving.find(event_id)
        self._events([event])
        resolving.retry(event_id)
        self.stdout.write(
            f"The relay sends event {event_id} again, and then the events behind it ({event.behind:,})."
            " If the broker refuses it again, it is set aside again: look with outbox_doctor in a few seconds."
        )
        return True

    def _discard(self, event_id: int, *, reason: str, certain: bool) -> bool:
        event = resolving.find(event_id)
        self._events([event])
        if not certain:
            self.stdout.write(
                f"Event {event_id} would never be sent, and no consumer would ever know of it. The events"
                f" behind it ({event.behind:,}) would follow. Nothing was changed. Type the command again with --yes."
            )
            return False
        resolving.discard(event_id, reason=reason)
        self.stdout.write(f"Event {event_id} is discarded, and the {event.behind:,} events that wait behind it follow.")
        return True

    def _show(self, state: State, *, late: int) -> bool:
        columns = ("topic", "waiting", "oldest (s)")
        self.table("Waiting", columns, ((row.topic, row.waiting, row.oldest_seconds) for row in state.waiting))
        self._events(state.set_aside)
        total = sum(row.waiting for row in state.waiting)
        oldest = max((row.oldest_seconds for row in state.waiting), default=0)
        relay = "a relay is active" if state.relay_is_active else "no relay is active"
        self.stdout.write(
            f"{total:,} events wait, the oldest for {oldest:,} s; {len(state.set_aside):,} are set aside, with"
            f" {sum(event.behind for event in state.set_aside):,} behind them; {relay}."
        )
        pruning = f"{state.overdue:,} of them are overdue for deletion" if state.overdue else "none is overdue"
        self.stdout.write(
            f"{state.delivered:,} delivered events are kept for {settings.OUTBOX_RETENTION.days} days; {pruning}."
        )
        self._advise(state, is_late=oldest > late)
        return state.relay_is_active and oldest <= late and not state.set_aside

    def _advise(self, state: State, *, is_late: bool) -> None:
        service = settings.SERVICE_NAME
        if not state.relay_is_active:
            self.stdout.write("Events wait until a relay runs. Type: ./manage_all.py up --detach")
        elif is_late:
            self.stdout.write(f"Events are late. Type: ./manage_all.py logs {service}.relay")
        if state.set_aside:
            first = state.set_aside[0].id
            self.stdout.write(
                f"Mend the cause, then type: ./manage_all.py manage {service} outbox_doctor --retry {first}"
            )

    def _events(self, events: tuple[SetAside, ...] | list[SetAside]) -> None:
        columns = ("id", "type", "key", "since (UTC)", "cause", "behind")
        # As text: a table groups the digits of numbers, and an id must be typed as it is.
        rows = ((str(e.id), e.type, e.key, f"{e.since:%Y-%m-%d %H:%M:%S}", e.cause, e.behind) for e in events)
        self.table("Set aside", columns, rows)


def _reason(text: str) -> str:
    """Parse a reason. Raises ArgumentTypeError if it is empty or too long."""
    reason = " ".join(text.split())
    if not 0 < len(reason) <= resolving.MAX_REASON:
        raise argparse.ArgumentTypeError(f"the reason must have 1 to {resolving.MAX_REASON} characters")
    return reason
