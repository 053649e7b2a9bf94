"""`manage bookings export_bookings`: bookings as CSV or JSON Lines, streamed."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, Final

from django.core.management.base import CommandError, CommandParser

from bookings_service.bookings import export
from bookings_service.bookings.domain.booking import Status
from shared.commands import MISUSED, OperatorCommand, day

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


class Command(OperatorCommand):
    """Write to stdout or to a file. The file appears only when it is complete."""

    help = "Export bookings, oldest first, in constant memory. Names are left out unless --with-passengers is given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")
        parser.add_argument("--since", type=day, help="Only bookings made on this day or later (UTC).")
        parser.add_argument("--until", type=day, help="Only bookings made before this day (UTC).")
        parser.add_argument("--status", choices=[status.value for status in Status])
        parser.add_argument("--with-passengers", action="store_true", help="Add the passengers' names.")
        parser.add_argument("--output", type=Path, help="Write to this file instead of stdout.")

    def work(self, **options: Any) -> bool:
        """Write every booking that matches the options, and return True."""
        since, until, path = options["since"], options["until"], options["output"]
        if since and until and since >= until:
            raise CommandError("--since must be before --until.", returncode=MISUSED)
        selection = export.Selection(since=since, until=until, status=options["status"] or "")
        columns = export.columns(with_passengers=options["with_passengers"])
        write = _csv if options["format"] == "csv" else _json_lines
        shows_rows_on_the_terminal = path is None and self.stdout.isatty()
        bar = nullcontext(lambda: None) if shows_rows_on_the_terminal else self.progress("Exporting", selection.count())
        with bar as step:
            rows = _counted(export.rows(selection, with_passengers=options["with_passengers"]), step)
            if path is None:
                done = write(self.stream(), columns, rows)
            else:
                done = _write_file(path, lambda stream: write(stream, columns, rows))
        self.stderr.write(f"{done:,} bookings exported.", lambda text: text)
        return True


def _counted(rows: Iterable[dict[str, Any]], step: Callable[[], None]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        step()


def _write_file(path: Path, write: Any) -> int:
    """Write a temporary file beside `path`, readable only by its owner, and rename it when it is complete."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with open(partial, "x", encoding="utf-8", newline="", opener=_private) as stream:
            done: int = write(stream)
        partial.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=MISUSED) from None
    finally:
        partial.unlink(missing_ok=True)
    return done


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _csv(stream: IO[str], columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> int:
    writer = csv.DictWriter(stream, list(columns))
    writer.writeheader()
    done = 0
    for done, row in enumerate(rows, start=1):  # noqa: B007
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return done


def _json_lines(stream: IO[str], columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> int:
    done = 0
    for done, row in enumerate(rows, start=1):  # noqa: B007
        stream.write(json.dumps(row, default=str, ensure_ascii=False) + "\n")
    return done


def _cell(value: Any) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
