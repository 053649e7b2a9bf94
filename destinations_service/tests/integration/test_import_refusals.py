"""Bad files and bad rows: each is refused with line, column and reason, and the catalogue stays as it was."""

import csv
import json
import lzma
import os
import resource
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from destinations_service.catalogue.importing import BadFile, RowsRejected
from destinations_service.catalogue.models import Destination
from destinations_service.tests.imports import country, geonames, line, run, snapshot, table
from destinations_service.tests.processes import command

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "source_id,kind,parent,country,latitude,longitude,time_zone,population,tags,currency,name"
BAD_LINES = {
    "not UTF-8": (line(3, "Cafés").encode("latin-1"), ("name", "it is not UTF-8")),
    "NUL": (line(3, "Bo\0rges"), ("name", "it has the character NUL")),
    "a column too few": (line(3, "Bourges").rsplit("\t", 1)[0], ("line", "the line has 18 columns. A GeoNames line has 19")),
    "a long line": (line(3, "B" * 70_000), ("line", "the line is longer than 65,536 bytes")),
    "no name": (line(3, ""), ("name", "it is missing")),
    "a long name": (line(3, "B" * 151), ("name", "it has more than 150 letters")),
    "a control character": (line(3, "Bour\x07ges"), ("name", "it has a control character")),
    "the latitude": (line(3, "B", latitude="90.1"), ("latitude", "it is not a number from -90 to 90")),
    "the longitude": (line(3, "B", longitude="-181"), ("longitude", "it is not a number from -180 to 180")),
    "NaN": (line(3, "B", latitude="NaN"), ("latitude", "it is not a number from -90 to 90")),
    "infinity": (line(3, "B", longitude="1e999"), ("longitude", "it is not a number from -180 to 180")),
    "half a position": (line(3, "B", latitude=""), ("latitude", "it is missing, and the longitude is given")),
    "a time zone": (line(3, "B", time_zone="Mars/Base"), ("time_zone", "it is not an IANA time zone, such as Europe/Paris")),
    "a country": (line(3, "B", country="ZZ"), ("country", "the catalogue has no country with this code")),
    "a population": (line(3, "B", population="-5"), ("population", "it is not a whole number of at most 11 digits")),
    "the id": (line(1, "Bourges"), ("source_id", "line 1 has the same id")),
}  # fmt: skip
BAD_RECORDS = {
    "a kind": ("c,TOWN,,FR,1,1,,,,,C", ("kind", "it is not COUNTRY, CITY or POINT_OF_INTEREST")),
    "a currency": ("c,CITY,,FR,1,1,,,,ZZZ,C", ("currency", "it is not a currency of ISO 4217, such as EUR")),
    "a currency of a country": ("c,COUNTRY,,DE,1,1,,,,,C", ("currency", "a country needs a currency")),
    "a country's code": ("c,COUNTRY,,ZZ,1,1,,,,EUR,C", ("country", "it is not a code of ISO 3166-1 alpha-2")),
    "an unknown parent": ("c,CITY,nowhere,FR,1,1,,,,,C", ("parent", "it is neither an id of this source nor a slug of the catalogue")),
    "no parent": ("c,POINT_OF_INTEREST,,FR,1,1,,,,,C", ("parent", "a point of interest needs a city or country")),
    "a city in a city": ("c,CITY,a,FR,1,1,,,,,C", ("parent", "the parent of a city is a country, and that of a point of interest a city or country")),
    "a parent elsewhere": ("c,POINT_OF_INTEREST,belgium,FR,1,1,,,,,C", ("parent", "it is in another country")),
    "itself": ("c,POINT_OF_INTEREST,c,FR,1,1,,,,,C", ("parent", "the place is its own ancestor: a cycle")),
    "a long tag": (f"c,CITY,,FR,1,1,,,{'t' * 41},,C", ("tags", "a tag has more than 40 letters")),
    "a value too many": ("c,CITY,,FR,1,1,,,,,C,more", ("line", "the record has 12 values. The header names 11 columns")),
    "NUL": ("c,CITY,,FR,1,1,,,,,C\0", ("name", "it has the character NUL")),
    "not UTF-8": (b"c,CITY,,FR,1,1,,,,,Caf\xe9", ("name", "it is not UTF-8")),
    "a quote that ends too early": ('c,CITY,,FR,1,1,,,,,"C"d', ("line", "it is not CSV: ',' expected after '\"'")),
}  # fmt: skip


@pytest.mark.parametrize("problem", BAD_LINES)
def test_a_bad_line_refuses_the_file_with_line_column_and_reason(tmp_path, problem):
    """The good lines of the file are not written either."""
    country()
    bad, expected = BAD_LINES[problem]
    path = geonames(tmp_path, [line(1, "Tours"), line(2, "Vierzon"), bad])
    before = snapshot()

    with pytest.raises(RowsRejected) as refused:
        run(path)

    (found,) = refused.value.params["done"].problems
    assert (found.line, found.column, found.reason) == (3, *expected)
    assert snapshot() == before


@pytest.mark.parametrize("problem", BAD_RECORDS)
def test_a_bad_record_refuses_the_file_with_line_column_and_reason(tmp_path, problem):
    country()
    country("BE", "Belgium")
    bad, expected = BAD_RECORDS[problem]
    bad = bad if isinstance(bad, bytes) else bad.encode()
    path = table(tmp_path, f"{HEADER}\na,CITY,,FR,47,2,,,,,Tours\n".encode() + bad + b"\n")
    before = snapshot()

    with pytest.raises(RowsRejected) as refused:
        run(path)

    (found,) = refused.value.params["done"].problems
    assert (found.line, found.column, found.reason) == (3, *expected)
    assert snapshot() == before


def test_a_cycle_of_two_places_is_named_on_both_lines(tmp_path):
    country()
    path = table(tmp_path, f"{HEADER}\na,POINT_OF_INTEREST,b,FR,1,1,,,,,A\nb,POINT_OF_INTEREST,a,FR,1,1,,,,,B\n")

    with pytest.raises(RowsRejected) as refused:
        run(path)

    problems = refused.value.params["done"].problems
    assert [(row.line, row.reason) for row in problems] == [
        (number, "the place is its own ancestor: a cycle") for number in (2, 3)
    ]


def test_the_children_of_a_rejected_parent_are_rejected_too(tmp_path):
    country()
    text = f"{HEADER}\na,CITY,,FR,99,2,,,,,Tours\nb,POINT_OF_INTEREST,a,FR,1,1,,,,,Castle\nc,CITY,,FR,1,1,,,,,C\n"

    done = run(table(tmp_path, text), skip_rejected=True)

    assert [(row.line, row.reason) for row in done.problems] == [
        (2, "it is not a number from -90 to 90"), (3, "its parent was rejected"),
    ]  # fmt: skip
    assert done.total.created == 1


def test_one_bad_row_of_ten_thousand_leaves_the_catalogue_as_it_was(tmp_path):
    """Abuse case 26. With --skip-rejected the others are imported."""
    country()
    rows = [line(number, f"Town {number}") for number in range(1, 10_001)]
    rows[9_998] = line(9_999, "Town", latitude="north")
    path = geonames(tmp_path, rows)
    before = snapshot()
    output = StringIO()

    with pytest.raises(CommandError, match=r"^1 of 10,000 lines were rejected, so nothing was imported\."):
        call_command("import_places", path, report=tmp_path / "report.csv", stdout=output)

    assert snapshot() == before
    assert "9999" in output.getvalue()
    with (tmp_path / "report.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["line"], row["column"], row["after"]) == ("9999", "latitude", "north")
    assert row["reason"] == "it is not a number from -90 to 90"
    with pytest.raises(SystemExit):
        call_command("import_places", path, skip_rejected=True, stdout=StringIO())
    assert Destination.objects.filter(kind="CITY").count() == 9_999


BAD_FILES = {
    "UTF-16": (("places.txt", line(1, "Bourges").encode("utf-16")), "it is UTF-16. Save it as UTF-8."),
    "nothing": (("places.txt", b""), "it is empty."),
    "a cut archive": (("places.xz", lzma.compress(os.urandom(9_000))[:4_000]), "it is damaged"),
    "no archive": (("places.zip", b"places"), "it is no archive that can be read"),
    "no gzip": (("places.gz", b"places"), "it is damaged"),
    "no columns": (("places.csv", b"a,b\n1,2\n"), "line 1 has no column source_id, country, name."),
    "an unknown column": (("places.csv", b"source_id,country,name,nmae:fr\n"), "line 1 has an unknown column nmae:fr."),
    "a column twice": (("places.csv", b"source_id,country,name,name\n"), "line 1 has more than one column name."),
}


@pytest.mark.parametrize("problem", BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, problem):
    country()
    (name, content), why = BAD_FILES[problem]
    (tmp_path / name).write_bytes(content)
    before = snapshot()

    with pytest.raises(BadFile) as refused:
        run(tmp_path / name)

    assert why in str(refused.value)
    assert "\n" not in str(refused.value)
    assert snapshot() == before


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/", "http://[::ffff:127.0.0.1]:8001/", "file:///etc/passwd", "https://example.org/x.zip"],
)
def test_an_address_is_never_opened(address):
    """Abuse case 25."""
    with pytest.raises(CommandError, match="there is no such file"):
        call_command("import_places", address)


def test_a_report_never_starts_a_cell_with_a_formula(tmp_path):
    country()
    path = geonames(tmp_path, [line(1, "Bourges", latitude="=cmd()"), line(2, "Tours", latitude="@x")])

    with pytest.raises(RowsRejected):
        run(path, report=tmp_path / "report.csv")

    with (tmp_path / "report.csv").open() as file:
        assert [row["after"] for row in csv.DictReader(file)] == ["'=cmd()", "'@x"]


def test_a_gigabyte_of_one_line_is_refused_with_little_memory(tmp_path):
    """The file is sparse: a billion NULs without a line end. The process may have 400 MB of address space more."""
    country()
    path = tmp_path / "places.txt"
    with path.open("wb") as file:
        file.truncate(1_000_000_000)
        file.seek(0, os.SEEK_END)
        file.write(f"\n{line(1, 'Bourges')}\n".encode())

    done = command("import_places", str(path), "--report", str(tmp_path / "report.jsonl"))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    row = json.loads((tmp_path / "report.jsonl").read_text())
    assert (row["line"], row["reason"]) == (1, "the line is longer than 65,536 bytes")
    assert not Destination.objects.filter(kind="CITY").exists()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_024
    assert children < 300, f"{children:.0f} MB"
