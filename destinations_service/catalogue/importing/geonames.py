"""Rows of a GeoNames dump: `cities1000.txt`, `allCountries.txt`, or a country's file. 19 columns, separated by tabs."""

from collections.abc import Iterator
from typing import Final

from destinations_service.catalogue.importing.contracts import Options, Rows
from destinations_service.catalogue.importing.rows import Reader, bad_row
from shared.text import Locale

COLUMNS: Final = 19
# Sections of places, and places that people have left. GeoNames lists them beside the place itself.
_NO_PLACES: Final = frozenset({b"PPLX", b"PPLH", b"PPLQ", b"PPLW"})
_CAPITALS: Final = frozenset({b"PPLC", b"PPLG"})
_LONGEST_ALTERNATE: Final = 200
_MOST_ALTERNATES: Final = 60


class GeoNamesReader(Reader):
    """Keeps the populated places. `left_out` counts the others."""

    def __init__(self, options: Options) -> None:
        self.left_out = 0
        self._minimum = options.minimum_population
        self._countries = {code.encode() for code in options.countries}

    def rows(self, lines: Rows) -> Iterator[bytes]:
        """Yield the rows of the staging table, as COPY reads them."""
        for first, batch in lines:
            rows = [self._row(number, line) for number, line in enumerate(batch, first) if line != b""]
            yield b"".join(filter(None, rows))

    def _row(self, number: int, line: bytes | None) -> bytes | None:
        if line is None:
            return bad_row(number, "", "the line is longer than 65,536 bytes")
        parts = line.rstrip(b"\r").split(b"\t")
        if len(parts) != COLUMNS:
            return bad_row(number, "", f"the line has {len(parts)} columns. A GeoNames line has {COLUMNS}")
        if parts[6] != b"P" or parts[7] in _NO_PLACES or self._is_other(parts):
            self.left_out += 1
            return None
        if b"\0" in line:
            return bad_row(number, _first(parts, b"\0"), "it has the character NUL", id_=parts[0])
        try:
            line.decode()
        except UnicodeDecodeError:
            return bad_row(number, _undecodable(parts), "it is not UTF-8", id_=parts[0])
        row = b"\t".join(
            (
                b"%d" % number, parts[0], b"CITY", b"", parts[8], parts[4], parts[5], parts[17], parts[14], b"", b"",
                parts[10], parts[1], parts[2], b"", _alternates(parts[3]), b"", b"",
            )
        )  # fmt: skip
        if b"\\" in row or b"\r" in row:
            row = row.replace(b"\\", b"\\\\").replace(b"\r", b"\\r")
        return row + b"\n"

    def _is_other(self, parts: list[bytes]) -> bool:
        if self._countries and parts[8] not in self._countries:
            return True
        population = parts[14]
        return population.isdigit() and int(population) < self._minimum and parts[7] not in _CAPITALS


def _alternates(names: bytes) -> bytes:
    """Return the alternate names, each with an unknown language, separated as the staging table expects."""
    if not names:
        return b""
    if len(names) > _LONGEST_ALTERNATE:
        every = [name for name in names.split(b",") if len(name) <= _LONGEST_ALTERNATE]
        names = b",".join(every[:_MOST_ALTERNATES])
    return b":" + names.replace(b",", b"\x1f:") if names else b""


NAMES: Final = (
    "geonameid", "name", "asciiname", "alternatenames", "latitude", "longitude", "feature class", "feature code",
    "country code", "cc2", "admin1 code", "admin2 code", "admin3 code", "admin4 code", "population", "elevation", "dem",
    "timezone", "modification date",
)  # fmt: skip
# The language of a GeoNames name is not given: a proper name is the same in each language of the platform.
LANGUAGES: Final = tuple(locale.value for locale in Locale)


def _first(parts: list[bytes], wanted: bytes) -> str:
    return next(name for name, part in zip(NAMES, parts, strict=True) if wanted in part)


def _undecodable(parts: list[bytes]) -> str:
    for name, part in zip(NAMES, parts, strict=True):
        try:
            part.decode()
        except UnicodeDecodeError:
            return name
    return ""
