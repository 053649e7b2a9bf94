"""The base of the commands for operators: one line for a mistake, a table for a summary, a progress bar for long work.

Exit codes: 0 nothing is wrong, 1 there is a finding or work left (or a dependency is unavailable), 2 wrong arguments.
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
    """A command that reports what it did. A subclass writes `work`.

    A command with add_apply changes none of our rows without `--apply`.
    """

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser. It reports wrong arguments in one line."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)

        def error(message: str) -> NoReturn:
            sys.stderr.write(f"{subcommand}: {message}\n")
            sys.exit(MISUSED)

        if getattr(self, "_called_from_command_line", False):
            vars(parser)["error"] = error
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the work.

        Raises CommandError, in one line, if it was refused or interrupted, or if the database is unavailable.
        """
        try:
            with _patient():
                is_well = self.work(**options)
            self.stdout.flush()
        except DomainError as refusal:
            raise CommandError(refusal.localized(Locale.EN), returncode=FOUND) from None
        except (OperationalError, InterfaceError) as error:
            cause = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CommandError(f"The database failed: {cause}", returncode=FOUND) from None
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. What was done is done; run it again to go on.", returncode=INTERRUPTED
            ) from None
        except BrokenPipeError:  # the reader of the output has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FOUND)
        if not is_well:
            sys.exit(FOUND)

    @abstractmethod
    def work(self, **options: Any) -> bool:
        """Do the work. Return whether nothing is wrong and no work is left."""
        raise NotImplementedError

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows as a table on stdout, or nothing if there are no rows. Numbers are right-aligned."""
        cells = [list(row) for row in rows]
        if not cells:
            return
        shown = Table()
        for index, name in enumerate(columns):
            numbers = all(isinstance(row[index], int) for row in cells)
            shown.add_column(name, justify="right" if numbers else "left", overflow="fold")
        for row in cells:
            shown.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        console = Console(file=self.stream(), width=None if self.stdout.isatty() else 140, highlight=False)
        console.print(title, style="bold", markup=False)
        console.print(shown)

    def stream(self) -> IO[str]:
        """Return the stream of stdout, without Django's line endings."""
        return cast("IO[str]", vars(self.stdout)["_out"])  # Django's name for the stream that it wraps

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Any]:
        """Yield a function that advances the progress bar by a number.

        It is drawn on stderr, and only on a terminal.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done=1: bar.advance(task, done)


@contextmanager
def _patient() -> Iterator[None]:
    """Allow each statement up to PATIENCE_SECONDS during the body, longer than a request may take."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{PATIENCE_SECONDS}s"])
    try:
        yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


def add_apply(parser: CommandParser, what: str) -> None:
    """Add `--apply`. Without it a command changes nothing."""
    parser.add_argument("--apply", action="store_true", help=f"{what}. Without it, nothing is changed.")
    parser.add_argument("--dry-run", action="store_true", help="Change nothing, which is the default.")


def applies(options: dict[str, Any]) -> bool:
    """Return whether the command may change anything. Raises CommandError for both `--apply` and `--dry-run`."""
    if options["apply"] and options["dry_run"]:
        raise CommandError("--apply and --dry-run exclude each other.", returncode=MISUSED)
    return bool(options["apply"])


def day(text: str) -> datetime:
    """Parse a day and return its beginning in UTC. Raises ArgumentTypeError."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a date such as 2027-01-31")
    return datetime.combine(parsed, time.min, UTC)


def identifier(text: str) -> UUID:
    """Parse a UUID. Raises ArgumentTypeError."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not an id") from None


def count(text: str) -> int:
    """Parse a number of at least 1. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of at least 1")
    return int(text)
