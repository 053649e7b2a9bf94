"""Files to import, and what an import writes: for the tests of imports."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from destinations_service.catalogue.importing import Format, Imported, Options, import_places
from destinations_service.catalogue.models import (
    Destination,
    DestinationTranslation,
    ImportedPlace,
    PlaceName,
    SearchEntry,
    SearchPosting,
)
from destinations_service.tests.factories import DestinationFactory
from shared.outbox.models import OutboxEvent

CATALOGUE = (Destination, DestinationTranslation, PlaceName, ImportedPlace, SearchEntry, SearchPosting, OutboxEvent)


def line(id_: int, name: str, **values: Any) -> str:
    """Return a line of a GeoNames dump: a town in the middle of France, unless `values` say something else."""
    row = {
        "ascii": "", "names": "", "latitude": 47.0 + id_ / 1_000, "longitude": 2.0, "class": "P", "code": "PPL",
        "country": "FR", "cc2": "", "admin1": "11", "admin2": "", "admin3": "", "admin4": "", "population": 5_000,
        "elevation": "", "dem": "", "time_zone": "Europe/Paris", "date": "2026-11-01", **values,
    }  # fmt: skip
    return "\t".join(map(str, (id_, name, *row.values())))


def geonames(folder: Path, lines: Iterable[str | bytes], *, name: str = "places.txt") -> Path:
    """Write a file of lines, and return its path."""
    path = folder / name
    path.write_bytes(b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in lines))
    return path


def table(folder: Path, text: str | bytes) -> Path:
    """Write a CSV file, and return its path."""
    path = folder / "places.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def run(path: Path, **options: Any) -> Imported:
    """Import a file: CSV by its name, else GeoNames."""
    format_ = Format.CSV if path.suffix == ".csv" else Format.GEONAMES
    return import_places(Options(**{"file": path, "format": format_, "source": format_.value, **options}))


def country(code: str = "FR", name: str = "France", **values: Any) -> Destination:
    """Make a country."""
    return DestinationFactory(slug=name.lower(), country_code=code, names=(name, name), **values)


def snapshot() -> list[list[tuple[Any, ...]]]:
    """Return every row that an import could write."""
    return [sorted(map(str, model.objects.values_list())) for model in CATALOGUE]


def name_of(place: Destination, language: str = "EN") -> str:
    """Return a place's name."""
    return DestinationTranslation.objects.get(destination=place, language=language).name
