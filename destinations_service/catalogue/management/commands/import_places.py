"""`manage.py import_places`: import places from a GeoNames dump or a CSV file."""

import argparse
import re
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandParser

from destinations_service.catalogue.importing import Format, Options, RowsRejected, import_places
from destinations_service.catalogue.management.import_summary import show
from shared.commands import OperatorCommand

_SUFFIXES: Final = (".zip", ".gz", ".xz")


class Command(OperatorCommand):
    """Import places. Staff's edits are kept, and a second run changes nothing."""

    help = (
        "Import places from a GeoNames dump (cities1000.txt, allCountries.txt) or from a CSV file, also as .zip, .gz or"
        " .xz. Each country is merged in one transaction, and values that staff changed are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", type=Path, help="A file of this machine.")
        parser.add_argument(
            "--format", choices=[each.value for each in Format], help="By default csv for *.csv, else geonames."
        )
        parser.add_argument("--source", type=_source, help="Who gives the ids. By default the format's name.")
        parser.add_argument(
            "--country",
            action="append",
            type=_country,
            default=[],
            metavar="XX",
            help="Only this one; can be repeated.",
        )
        parser.add_argument(
            "--minimum-population", type=_population, default=1_000, metavar="N", help="Of GeoNames rows: 1000."
        )
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, and write nothing.")
        parser.add_argument(
            "--skip-rejected", action="store_true", help="Import the good rows of a file that also has bad ones."
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE",
            help="Write each rejected line and each difference to this file: CSV, or JSON Lines for *.jsonl.",
        )  # fmt: skip

    def work(self, **options: Any) -> bool:
        """Import, and print what was done. Return whether no line was rejected."""
        file: Path = options["file"]
        name = file.with_suffix("") if file.suffix.lower() in _SUFFIXES else file
        format_ = Format(options["format"] or ("csv" if name.suffix.lower() == ".csv" else "geonames"))
        wanted = Options(
            file=file,
            format=format_,
            source=options["source"] or format_.value,
            countries=frozenset(options["country"]),
            minimum_population=options["minimum_population"],
            dry_run=options["dry_run"],
            skip_rejected=options["skip_rejected"],
            report=options["report"],
        )
        try:
            done = import_places(wanted, watcher=self)
        except RowsRejected as refusal:
            show(self, wanted, refusal.params["done"])
            raise
        show(self, wanted, done)
        return not done.rejected


def _source(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,39}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a name of 1 to 40 letters a to z, digits, - _ .")
    return text


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a code of two letters, such as FR")
    return text.upper()


def _population(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number")
    return int(text)
