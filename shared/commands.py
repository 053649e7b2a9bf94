"""What every command for operators shares: one line for a mistake, a table for a summary, a progress bar for long work.

Exit codes: 0 all is well, 1 something was found or is left to do (or what is needed is away), 2 the command was not understood.
"""

import argparse
import os
import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import IO, Any, Final, NoReturn, cast
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from shared.errors import DomainError
from shared.text import Locale

FOUND: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130
PATIENCE_SECONDS: Final = 900


class OperatorCommand(BaseCommand):
    """A command that is safe by default and says what it did. `work` does it and returns whether all is well."""

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser; what it does not understand is said in one line."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)

        def error(message: str) -> NoReturn:
            sys.stderr.write(f"{subcommand}: {message}\n")
            sys.exit(MISUSED)

        if getattr(self, "_called_from_command_line", False):
            vars(parser)["error"] = error
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the work. Raises CommandError, in one line, where it was refused, interrupted, or the database is away."""
        try:
            with _patient():
                is_well = self.work(**options)
            self.stdout.flush()
        except DomainError as refusal:
            raise CommandError(refusal.localized(Locale.EN), returncode=FOUND) from None
        except (OperationalError, InterfaceError) as error:
            told = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CommandError(f"The database did not do it: {told}", returncode=FOUND) from None
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. What was done is done; run it again to go on.", returncode=INTERRUPTED
            ) from None
        except BrokenPipeError:  # whoever read has had enough; nothing is left to say, and nobody to say it to
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FOUND)
        if not is_well:
            sys.exit(FOUND)

    @abstractmethod
    def work(self, **options: Any) -> bool:
        """Do it; return whether nothing is wrong and nothing left."""
        raise NotImplementedError

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows as a table on stdout, nothing for none; numbers stand to the right."""
        held = [list(row) for row in rows]
        if not held:
            return
        shown = Table()
        for index, name in enumerate(columns):
            numbers = bool(held) and all(isinstance(row[index], int) for row in held)
            shown.add_column(name, justify="right" if numbers else "left", overflow="fold")
        for row in held:
            shown.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        console = Console(file=self.stream(), width=None if self.stdout.isatty() else 140, highlight=False)
        console.print(title, style="bold", markup=False)
        console.print(shown)

    def stream(self) -> IO[str]:
        """Return what stdout is, for whoever writes to it without Django's line endings."""
        return cast("IO[str]", vars(self.stdout)["_out"])  # Django's name for the stream that it wraps

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Any]:
        """Yield a function that moves the bar on by so many; it is drawn on stderr, for a person who watches alone."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done=1: bar.advance(task, done)


@contextmanager
def _patient() -> Iterator[None]:
    """Let statements take as long as looking at everything takes, in place of as long as a request may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{PATIENCE_SECONDS}s"])
    try:
        yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


def add_apply(parser: CommandParser, what: str) -> None:
    """Add `--apply`, without which nothing is changed."""
    parser.add_argument("--apply", action="store_true", help=f"{what}. Without it, nothing is changed.")
    parser.add_argument("--dry-run", action="store_true", help="Change nothing, which is the default.")


def applies(options: dict[str, Any]) -> bool:
    """Return whether changes are wanted. Raises CommandError for both `--apply` and `--dry-run`."""
    if options["apply"] and options["dry_run"]:
        raise CommandError("--apply and --dry-run exclude each other.", returncode=MISUSED)
    return bool(options["apply"])


def day(text: str) -> datetime:
    """Return the beginning of a day, UTC. Raises ArgumentTypeError."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no date; 2027-01-31 is expected")
    return datetime.combine(parsed, time.min, UTC)


def identifier(text: str) -> UUID:
    """Return a UUID. Raises ArgumentTypeError."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no id") from None


def count(text: str) -> int:
    """Return a number of at least one. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of at least 1")
    return int(text)
