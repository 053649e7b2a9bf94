"""`manage.py update_rates`: write dated exchange rates from a file."""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from django.core.management.base import CommandError, CommandParser

from destinations_service.catalogue import services
from destinations_service.catalogue.contracts import NewRate
from shared.commands import OperatorCommand
from shared.errors import DomainError
from shared.text import Locale

MOST_BYTES: Final = 10_000_000  # a history of the European Central Bank since 1999 has 600 kB
COLUMNS: Final = ("currency", "rate", "as_of", "source")
ECB: Final = "European Central Bank: euro foreign exchange reference rates"


class Command(OperatorCommand):
    """Write rates. All of a file is written, or nothing."""

    help = (
        "Write exchange rates from a CSV file with the columns currency, rate (units for one euro), as_of and source,"
        " or from the XML of the European Central Bank. `-` reads standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", help="A file of this machine, or - for standard input.")
        parser.add_argument("--ecb", action="store_true", help="The file is the Central Bank's eurofxref XML.")
        parser.add_argument("--force", action="store_true", help="Also write rates that are far from the last ones.")

    def work(self, **options: Any) -> bool:
        """Write the rates, and print how many."""
        text = _read(options["file"])
        rates = list(_from_xml(text) if options["ecb"] else _from_csv(text))
        if not rates:
            raise CommandError("The file has no rates.")
        with services.authored(source="command", command="update_rates"):
            done = services.update_rates(rates, force=options["force"])
        self.table(
            "Exchange rates",
            ["new", "corrected", "unchanged", "places with another cost"],
            [[done.new, done.corrected, done.unchanged, done.places]],
        )
        return True


def _read(name: str) -> str:
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1) if name == "-" else _file(Path(name))
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise CommandError(f"{name} has more than {MOST_BYTES:,} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not UTF-8: byte {error.start} is {content[error.start]:#04x}.") from None


def _file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _from_csv(text: str) -> Iterator[NewRate]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise CommandError(f"The columns {', '.join(missing)} are missing. Needed: {', '.join(COLUMNS)}.")
        seen: set[tuple[str, date]] = set()
        for row in reader:
            rate = _rate(reader.line_num, *(row[name] or "" for name in COLUMNS))
            if (rate.currency, rate.as_of) in seen:
                raise CommandError(f"Line {reader.line_num}: {rate.currency} of {rate.as_of} is there twice.")
            seen.add((rate.currency, rate.as_of))
            yield rate
    except csv.Error as error:
        raise CommandError(f"Line {reader.line_num}: this is not CSV: {error}.") from None


def _from_xml(text: str) -> Iterator[NewRate]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CommandError("The XML has a document type, which the European Central Bank does not write.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - entities are refused above, and the size is bounded
    except ElementTree.ParseError as error:
        raise CommandError(f"This is not XML: {error}.") from None
    seen: set[tuple[str, date]] = set()
    for day in root.iterfind(".//{*}Cube[@time]"):
        for cube in day.iterfind("{*}Cube[@currency]"):
            rate = _rate(0, cube.get("currency", ""), cube.get("rate", ""), day.get("time", ""), ECB)
            if (rate.currency, rate.as_of) in seen:
                raise CommandError(f"{rate.currency} of {rate.as_of} is there twice.")
            seen.add((rate.currency, rate.as_of))
            yield rate


def _rate(line: int, currency: str, rate: str, as_of: str, source: str) -> NewRate:
    where = f"Line {line}" if line else f"{currency} of {as_of}"
    try:
        amount = Decimal(rate.strip())
        day = date.fromisoformat(as_of.strip())
    except InvalidOperation:
        raise CommandError(f"{where}: the rate {rate[:30]!r} is not a number.") from None
    except ValueError:
        raise CommandError(f"{where}: the date {as_of[:30]!r} is not like 2026-12-31.") from None
    if not source.strip() or len(source) > 200 or not source.isprintable():
        raise CommandError(f"{where}: the source must have 1 to 200 printable characters.")
    new = NewRate(currency=currency.strip(), rate=amount, as_of=day, source=source.strip())
    try:
        services.check_new_rate(new)
    except DomainError as refusal:
        raise CommandError(f"{where}: {refusal.localized(Locale.EN)}") from None
    return new
