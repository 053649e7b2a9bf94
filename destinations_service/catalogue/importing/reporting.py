"""The report of an import: one row for each rejected line, and for each value that was changed or kept."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from destinations_service.catalogue.importing import staging
from destinations_service.catalogue.importing.contracts import Difference, Problem
from destinations_service.catalogue.importing.refusals import BadFile

COLUMNS: Final = ("what", "line", "source_id", "slug", "country", "column", "before", "after", "reason")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Writes rows as CSV, as JSON Lines if the file's name ends in .jsonl, or not at all."""

    def __init__(self, file: IO[str] | None, *, is_json: bool) -> None:
        self._file = file
        self._is_json = is_json
        self._csv = csv.writer(file) if file and not is_json else None
        if self._csv:
            self._csv.writerow(COLUMNS)

    @classmethod
    @contextmanager
    def opened(cls, path: Path | None) -> Iterator["Report"]:
        """Open the report. Raises BadFile if it cannot be written."""
        if path is None:
            yield cls(None, is_json=False)
            return
        try:
            file = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise BadFile(file=str(path), why=f"the report cannot be written: {error.strerror}.") from None
        with file:
            yield cls(file, is_json=path.suffix.lower() == ".jsonl")

    def problems(self) -> None:
        """Write every rejected line."""
        if self._file:
            staging.each(
                """SELECT line, coalesce(source_id, ''), "column", coalesce(value, ''), reason FROM import_problem
                   ORDER BY line, "column" """,
                lambda row: self._problem(Problem(*row)),
            )

    def difference(self, row: Difference) -> None:
        """Write one value that changes, or that is kept."""
        reason = "staff changed it" if row.what == "keep" else ""
        self._write(
            (row.what, row.line, row.source_id, row.slug, row.country, row.field, row.before, row.after, reason)
        )

    def _problem(self, row: Problem) -> None:
        self._write(("reject", row.line, row.source_id, "", "", row.column, "", row.value, row.reason))

    def _write(self, row: tuple[object, ...]) -> None:
        if self._csv:
            self._csv.writerow([f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in row])
        elif self._file:
            json.dump(dict(zip(COLUMNS, row, strict=True)), self._file, ensure_ascii=False)
            self._file.write("\n")
