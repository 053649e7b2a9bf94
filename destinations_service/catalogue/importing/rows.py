"""Rows of the staging table, in the text format of COPY. An empty value is NULL."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

from destinations_service.catalogue.importing.contracts import Rows

COLUMNS: Final = (
    "line", "source_id", "kind", "parent", "country", "latitude", "longitude", "time_zone", "population", "tags",
    "currency", "admin", "name", "ascii", "translations", "names", "problem_column", "problem",
)  # fmt: skip
SEPARATOR: Final = "\x1f"  # between the values of `tags`, `translations` and `names`


class Reader(ABC):
    """Turns lines into rows of the staging table. `left_out` counts the lines that are no places to import."""

    left_out: int

    @abstractmethod
    def rows(self, lines: Rows) -> Iterator[bytes]:
        """Yield rows, as COPY reads them. A line that is wrong becomes a row with a problem."""


def bad_row(number: int, column: str, reason: str, *, id_: bytes = b"") -> bytes:
    """Return the row of a line that cannot be read further."""
    shown = id_[:64].decode(errors="replace").replace("\0", "")
    return text_row(number, {"source_id": shown, "problem_column": column or "line", "problem": reason})


def text_row(number: int, values: dict[str, str]) -> bytes:
    """Return a row with `values` by column."""
    cells = [str(number), *(escaped(values.get(column, "")) for column in COLUMNS[1:])]
    return "\t".join(cells).encode() + b"\n"


def escaped(text: str) -> str:
    """Return a value as the text format of COPY writes it."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
