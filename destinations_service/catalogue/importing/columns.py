"""Rows of our own CSV: a header, then one place for each record. docs/catalogue.md lists the columns."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Final

from destinations_service.catalogue.importing.contracts import Options, Rows
from destinations_service.catalogue.importing.reading import LONGEST_LINE
from destinations_service.catalogue.importing.refusals import BadFile
from destinations_service.catalogue.importing.rows import SEPARATOR, Reader, bad_row, text_row
from shared.text import Locale

PLAIN: Final = (
    "source_id", "kind", "parent", "country", "latitude", "longitude", "time_zone", "population", "tags", "currency",
    "admin", "name", "names",
)  # fmt: skip
_NAME: Final = re.compile(r"name:([a-z]{2,3})", re.ASCII)
_SHOWN: Final = {locale.value.lower(): locale.value for locale in Locale}
_BATCH: Final = 1_000


class CsvReader(Reader):
    """Reads records, which may have line ends in quoted values. The first one names the columns."""

    def __init__(self, options: Options) -> None:
        self.left_out = 0
        self._file = options.file.name
        self._countries = options.countries

    def rows(self, lines: Rows) -> Iterator[bytes]:
        """Yield the rows of the staging table. Raises BadFile if columns are missing or unknown."""
        csv.field_size_limit(LONGEST_LINE)
        too_long: list[int] = []
        records = csv.reader(_texts(lines, too_long), strict=True)
        header = self._header(records)
        rows: list[bytes] = []
        while True:
            number = records.line_num + 1
            try:
                record = next(records)
            except StopIteration:
                break
            except csv.Error as error:
                rows.append(bad_row(number, "", f"it is not CSV: {error}"))
                continue
            rows += [bad_row(line, "", "the line is longer than 65,536 bytes") for line in too_long]
            if record and not too_long and (row := self._row(number, header, record)):
                rows.append(row)
            too_long.clear()
            if len(rows) >= _BATCH:
                yield b"".join(rows)
                rows = []
        yield b"".join(rows)

    def _header(self, records: Iterator[list[str]]) -> list[str]:
        try:
            header = [name.strip().lower() for name in next(records, [])]
        except csv.Error:
            header = []
        unknown = [name for name in header if name not in PLAIN and not _NAME.fullmatch(name)]
        missing = [name for name in ("source_id", "country") if name not in header]
        if not any(name.startswith("name") and name != "names" for name in header):
            missing.append("name")
        twice = sorted({name for name in header if header.count(name) > 1})
        problems = {"has no column": missing, "has more than one column": twice, "has an unknown column": unknown}
        for problem, names in problems.items():
            if names:
                shown = ", ".join(ascii(name[:40])[1:-1] for name in names[:5])
                why = f"line 1 {problem} {shown}. The columns are: {', '.join(PLAIN)}, and name:LANGUAGE."
                raise BadFile(file=self._file, why=why)
        return header

    def _row(self, number: int, header: list[str], record: list[str]) -> bytes | None:
        if len(record) != len(header):
            return bad_row(number, "", f"the record has {len(record)} values. The header names {len(header)} columns")
        id_ = record[header.index("source_id")].encode(errors="replace")
        for name, value in zip(header, record, strict=True):
            if "\0" in value:
                return bad_row(number, name, "it has the character NUL", id_=id_)
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                return bad_row(number, name, "it is not UTF-8", id_=id_)
        values = {name: value.strip() for name, value in zip(header, record, strict=True)}
        values["country"] = values["country"].upper()
        if self._countries and values["country"] not in self._countries:
            self.left_out += 1
            return None
        values["kind"] = values.get("kind", "").upper() or "CITY"
        values["currency"] = values.get("currency", "").upper()
        values["tags"] = SEPARATOR.join(sorted({tag.strip().lower() for tag in _parts(values, "tags")}))
        by_language = {found[1]: value for name, value in values.items() if value and (found := _NAME.fullmatch(name))}
        name = values.get("name", "")
        shown = {code: by_language.pop(language, name) for language, code in _SHOWN.items()}
        values["translations"] = SEPARATOR.join(f"{code}:{text}" for code, text in shown.items() if text)
        values["name"] = name or shown.get("EN", "") or next(filter(None, shown.values()), "")
        alternates = [*(f"{language}:{text}" for language, text in sorted(by_language.items())),
                      *(f":{text}" for text in _parts(values, "names"))]  # fmt: skip
        values["names"] = SEPARATOR.join(alternates)
        return text_row(number, values)


def _parts(values: dict[str, str], column: str) -> list[str]:
    return [part.strip() for part in values.get(column, "").replace(SEPARATOR, "").split("|") if part.strip()]


def _texts(lines: Rows, too_long: list[int]) -> Iterable[str]:
    """Yield lines as text. Bytes that are not UTF-8 become surrogates, so that the column is known."""
    for first, batch in lines:
        for number, line in enumerate(batch, first):
            if line is None:
                too_long.append(number)
                yield "\n"
            else:
                yield line.decode(errors="surrogateescape").rstrip("\r") + "\n"
