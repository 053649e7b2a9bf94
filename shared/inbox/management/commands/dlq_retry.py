"""`manage SERVICE dlq_retry`: show what a retry of dead letters would do, and ask the consumer for it."""

import argparse
import getpass
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from shared.commands import MISUSED, OperatorCommand, add_apply, applies, count
from shared.errors import DomainError
from shared.events import topic_name
from shared.inbox import resolving
from shared.inbox.models import DeadLetter
from shared.inbox.shown import first_line
from shared.text import Locale

_LISTED: Final = 50
_FILTERS: Final = ("ids", "type", "topic", "cause", "since")


class Command(OperatorCommand):
    """List the dead letters that match, and with --apply let the consumer try them within seconds."""

    help = (
        "Show which dead letters would be tried again, and how many events wait behind each. With --apply, the consumer"
        " tries them within seconds. Without a filter, it shows all. Exit code 1 if a dead letter is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=count, metavar="ID", help="Ids of dead letters.")
        parser.add_argument("--type", help="Only events of this type.")
        parser.add_argument("--topic", help="Only events of this topic.")
        parser.add_argument("--cause", metavar="TEXT", help="Only letters whose cause contains this text.")
        parser.add_argument("--since", type=instant, metavar="TIME", help="Only letters since this time (UTC).")
        parser.add_argument("--all", action="store_true", help="With --apply: all dead letters of this service.")
        add_apply(parser, "Ask the consumer for the retry")

    def work(self, **options: Any) -> bool:
        """Return whether no letter is left to retry. Raises CommandError for --apply without a filter or --all."""
        apply = applies(options)
        if apply and not options["all"] and not any(options[name] for name in _FILTERS):
            raise CommandError("Say which letters to retry: ids, a filter, or --all.", returncode=MISUSED)
        plan = resolving.plan(_chosen(options).values_list("id", flat=True))
        columns = ("letter", "type", "key", "waiting behind", "since (UTC)", "cause")
        rows = [
            (str(letter.id), letter.event_type or "-", letter.key or "-", retry.follow,
             f"{letter.created_at:%Y-%m-%d %H:%M:%S}", first_line(letter.cause))
            for retry in plan.retries[:_LISTED]
            for letter in (retry.letter,)
        ]  # fmt: skip
        self.table("Dead letters to retry", columns, rows)
        waiting = [(str(letter.id), str(before), f"dlq_retry {before}") for letter, before in plan.waiting[:_LISTED]]
        self.table("Nothing happens to these: each waits behind a dead letter", ("event", "behind", "type"), waiting)
        refused = self._retry(plan) if apply else []
        asked = len(plan.retries) - len(refused) if apply else 0
        self.stdout.write(
            f"{len(plan.retries):,} to retry, {plan.follow:,} events behind them, {asked:,} asked for now,"
            f" {len(plan.waiting) + len(refused):,} refused."
        )
        if plan.retries and not apply:
            self.stdout.write("Nothing was changed. Repeat the command with --apply, and with --all for all of them.")
        return not plan.waiting and not refused and (apply or not plan.retries)

    def _retry(self, plan: resolving.Plan) -> list[str]:
        """Ask for each retry in a transaction of its own. Return the refusals."""
        by, refused = f"dlq_retry by {getpass.getuser()}", []
        with self.progress("Asking for retries", len(plan.retries)) as step:
            for retry in plan.retries:
                try:
                    resolving.retry(dead_letter_id=retry.letter.id, by=by)
                except DomainError as refusal:
                    refused.append(refusal.localized(Locale.EN))
                    self.stdout.write(f"{retry.letter.id}: {refused[-1]}")
                step()
        return refused


def instant(text: str) -> datetime:
    """Parse a day or a time, in UTC if it names no zone. Raises ArgumentTypeError."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a time such as 2027-01-31T14:00:00Z") from None


def _chosen(options: dict[str, Any]) -> QuerySet[DeadLetter]:
    """Return the letters that the arguments name. Raises DeadLetterNotFound and DeadLetterResolved for an id."""
    rows = DeadLetter.objects.filter(status__in=DeadLetter.OPEN)
    if options["ids"]:
        known = dict(DeadLetter.objects.filter(id__in=options["ids"]).values_list("id", "status"))
        for letter_id in options["ids"]:
            if letter_id not in known:
                raise resolving.DeadLetterNotFound(letter=letter_id)
            if known[letter_id] not in DeadLetter.OPEN:
                raise resolving.DeadLetterResolved
        rows = rows.filter(id__in=options["ids"])
    else:
        rows = rows.filter(status=DeadLetter.Status.DEAD)
    if options["type"]:
        rows = rows.filter(event_type=options["type"])
    if options["topic"]:
        rows = rows.filter(topic__in=(options["topic"], topic_name(options["topic"])))
    if options["cause"]:
        rows = rows.filter(cause__contains=options["cause"])
    if options["since"]:
        rows = rows.filter(created_at__gte=options["since"])
    return rows
