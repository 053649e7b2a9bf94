"""`manage SERVICE replay_events`: let events of a time range take effect that have none yet, or some of them again."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from confluent_kafka import KafkaException
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import autodiscover_modules

from shared.commands import FOUND, MISUSED, OperatorCommand, identifier
from shared.inbox.effects import Effects, cause_of
from shared.inbox.management.commands.dlq_retry import instant
from shared.inbox.replaying import Candidate, Verdict, apply, candidates, verdict
from shared.inbox.skipping import forget_skipped
from shared.kafka.handlers import registered

_EFFECTIVE: Final = (Verdict.NEW, Verdict.AGAIN)
_KEPT_BY_KAFKA: Final = timedelta(days=7)


class Command(OperatorCommand):
    """Count what would take effect, and with --yes let it take effect."""

    help = (
        "Read the events of a time range from Kafka, and show which would take effect: those without an inbox row. With"
        " --again HANDLER, the events of this handler take effect once more. Nothing is changed without --yes."
        " Exit code 1 if events are left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="since", type=instant, required=True, metavar="TIME", help="From this time.")
        parser.add_argument("--to", dest="until", type=instant, required=True, metavar="TIME", help="Before this time.")
        parser.add_argument("--type", help="Only events of this type.")
        parser.add_argument("--aggregate", type=identifier, metavar="ID", help="Only events of this aggregate.")
        parser.add_argument("--again", metavar="HANDLER", help="Apply the events of this handler again.")
        parser.add_argument("--yes", action="store_true", help="Do it. Without it, nothing is changed.")

    def work(self, **options: Any) -> bool:
        """Return whether every event took effect. Raises CommandError for wrong arguments, or if Kafka is away."""
        autodiscover_modules("consumers")
        if options["since"] >= options["until"]:
            raise CommandError("--from must be before --to.", returncode=MISUSED)
        remembered = datetime.now(UTC) - settings.INBOX_RETENTION
        if options["since"] < remembered:  # without its inbox row, an event that took effect would look new
            raise CommandError(
                f"--from must be after {remembered:%Y-%m-%dT%H:%M:%SZ}: the inbox forgets after"
                f" {settings.INBOX_RETENTION.days} days (INBOX_RETENTION_DAYS) which events took effect.",
                returncode=MISUSED,
            )
        documented = {
            handler.__name__: (handler.__doc__ or "").strip().split("\n")[0] for handler in registered.values()
        }
        if options["again"] and options["again"] not in documented:
            raise CommandError(
                f"--again names none of the handlers: {', '.join(sorted(documented))}", returncode=MISUSED
            )
        try:
            return self._replay(options, documented)
        except KafkaException as error:
            raise CommandError(f"Kafka failed: {error}", returncode=FOUND) from None

    def _replay(self, options: dict[str, Any], documented: dict[str, str]) -> bool:
        name, again = settings.SERVICE_NAME, options["again"]
        seen: Counter[tuple[str, str, Verdict]] = Counter()
        for found in _wanted(name, options):
            seen[found.type, found.handler, verdict(found, consumer=name, again=again)] += 1
        rows = [(type_, handler, str(what), number) for (type_, handler, what), number in sorted(seen.items())]
        self.table("Events in this range", ("type", "handler", "what happens", "events"), rows)
        twice = sum(number for (_, _, what), number in seen.items() if what is Verdict.AGAIN)
        if twice:
            self.stdout.write(f"{twice:,} events take effect a second time. For each: {documented[again]}")
        effective = sum(number for (_, _, what), number in seen.items() if what in _EFFECTIVE)
        blocked = sum(number for (_, _, what), number in seen.items() if what is Verdict.BLOCKED)
        if not options["yes"]:
            self.stdout.write(f"{effective:,} events would take effect, {blocked:,} are blocked. Nothing was changed.")
            if effective:
                self.stdout.write("Repeat the command with --yes.")
            return not effective and not blocked
        return self._apply_all(options, effective)

    def _apply_all(self, options: dict[str, Any], effective: int) -> bool:
        name = settings.SERVICE_NAME
        effects = Effects(name=name, handlers=registered)
        done, blocked, left, failed_keys, failed = 0, 0, 0, set(), 0
        with self.progress("Replaying", effective) as step:
            for found in _wanted(name, options):
                place = (found.record.topic, found.record.key)
                if place in failed_keys:  # its order is kept: nothing overtakes a failed event
                    failed += 1
                    continue
                try:
                    what = apply(found, consumer=name, effects=effects, again=options["again"])
                except Exception as error:  # noqa: BLE001 - one event that fails must not end the replay
                    failed_keys.add(place)
                    failed += 1
                    self.stdout.write(f"{found.event_id} of {found.record.key}: {cause_of(error)}")
                    continue
                blocked += what is Verdict.BLOCKED
                left += what is Verdict.LEFT
                if what in _EFFECTIVE:
                    done += 1
                    step()
        self.stdout.write(f"{done:,} events took effect, {blocked:,} blocked, {failed:,} failed.")
        if not blocked and not left and not failed:
            _forget_skipped(name, options)
        return not blocked and not failed


def _wanted(name: str, options: dict[str, Any]) -> Iterator[Candidate]:
    aggregate = str(options["aggregate"]) if options["aggregate"] else None
    found = candidates(consumer=name, handlers=registered, since=options["since"], until=options["until"])
    return (
        candidate
        for candidate in found
        if options["type"] in (None, candidate.type) and aggregate in (None, candidate.record.key)
    )


def _forget_skipped(name: str, options: dict[str, Any]) -> None:
    """Forget the skipped events of the range if it began with the oldest event that Kafka keeps."""
    if options["aggregate"] is None and options["since"] <= datetime.now(UTC) - _KEPT_BY_KAFKA:
        forget_skipped(consumer=name, event_type=options["type"], last_before=options["until"])
