"""What an import is asked to do, and what it answers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Format(StrEnum):
    """The columns of a file."""

    GEONAMES = "geonames"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Options:
    """What to import, and how.

    `source` names who gives the ids: rows of two files with one source and id are one place. Without `skip_rejected`
    one bad line refuses the whole file. GeoNames rows below `minimum_population` are left out.
    """

    file: Path
    format: Format = Format.GEONAMES
    source: str = "geonames"
    countries: frozenset[str] = frozenset()
    minimum_population: int = 1_000
    dry_run: bool = False
    skip_rejected: bool = False
    report: Path | None = None


@dataclass(slots=True)
class Counts:
    """What became of the rows of one country.

    `changed` counts the rows that differ from the last import, and `adopted` those among them whose place no import had
    written. `updated` counts the places that were written. `kept` counts values that staff changed, and that therefore
    stay. `deleted` counts places that staff deleted, and that are not made again.
    """

    created: int = 0
    updated: int = 0
    changed: int = 0
    adopted: int = 0
    unchanged: int = 0
    deleted: int = 0
    kept: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def stored_values(self) -> dict[str, int]:
        """Return the counts by name, as a run stores them."""
        return asdict(self)

    @classmethod
    def stored(cls, values: dict[str, int]) -> "Counts":
        """Return the counts that a run has stored."""
        return cls(**{part.name: values.get(part.name, 0) for part in fields(cls)})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line was rejected."""

    line: int
    source_id: str
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that the import changes, or one that it keeps because staff changed it. A created place has one."""

    line: int
    source_id: str
    slug: str
    country: str
    what: str  # "create", "update", "keep"
    field: str
    before: str
    after: str


@dataclass(slots=True)
class Imported:
    """What an import did: or would do, if it was a dry run."""

    lines: int = 0
    left_out: int = 0
    rejected: int = 0
    countries: dict[str, Counts] = field(default_factory=dict)
    continued: datetime | None = None
    countries_before: int = 0
    problems: list[Problem] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    applied: bool = False

    @property
    def total(self) -> Counts:
        """The counts of all countries."""
        return sum(self.countries.values(), Counts())


class Watcher(Protocol):
    """Shows how far an import is."""

    def progress(self, what: str, total: int) -> AbstractContextManager[Any]:
        """Return a context whose value is called with the number of steps that were done."""


class Silent:
    """Shows nothing."""

    def progress(self, what: str, total: int) -> AbstractContextManager[Any]:
        """Return a context whose value does nothing."""
        return nullcontext(lambda done=1: None)


Rows = Iterator[
    tuple[int, list[bytes | None]]
]  # the number of the first line, and lines; None for one that is too long
