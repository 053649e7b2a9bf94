"""One step of catalogue_import, in a process of its own inside destinations_service's Django: `STEP FOLDER [FILE]`.

It prints what it measured as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model

from destinations_service.catalogue import services
from destinations_service.catalogue.importing import Options, import_places, merging
from destinations_service.catalogue.models import (
    Destination,
    DestinationTranslation,
    ImportedPlace,
    ImportRun,
    PlaceName,
    SearchEntry,
    SearchPosting,
    SearchWord,
)
from destinations_service.catalogue.seeding.places import Gazetteer, write_places
from shared.outbox.models import OutboxEvent

# In the order in which rows refer to one another. All but about a thousand of their rows are written by the import.
TABLES: Final[tuple[type[Model], ...]] = (
    Destination, DestinationTranslation, PlaceName, ImportedPlace, OutboxEvent, SearchEntry, SearchPosting, SearchWord,
)  # fmt: skip
BATCH: Final = 1_000


def empty() -> None:
    """Empty the tables."""
    names = ", ".join(f'"{model._meta.db_table}"' for model in (*TABLES, ImportRun))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def reset(folder: Path) -> dict[str, Any]:
    """Empty the catalogue, and write the countries of the seed."""
    empty()
    write_places([place for place in Gazetteer(known={}).new_places() if place.row.kind == "COUNTRY"])
    services.refresh_search()
    return {}


def bring_in(folder: Path, file: str) -> dict[str, Any]:
    """Import a file as the command does. Say also how long the search index took."""
    index = services.refresh_search
    in_index = 0.0

    def timed(**arguments: Any) -> None:
        nonlocal in_index
        started = time.perf_counter()
        index(**arguments)
        in_index += time.perf_counter() - started

    merging.refresh_search = timed
    started = time.perf_counter()
    done = import_places(Options(file=Path(file)))
    return {
        "seconds": time.perf_counter() - started, "index": in_index, "rows": done.total.created,
        "updated": done.total.updated, "unchanged": done.total.unchanged,
    }  # fmt: skip


def dump(folder: Path) -> dict[str, Any]:
    """Write the rows of the import to files, as COPY reads them, and count them."""
    counts = {}
    for model in TABLES:
        table = model._meta.db_table
        columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
        with connection.cursor() as cursor, (folder / f"{table}.copy").open("wb") as file:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
            with cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as rows:
                for block in rows:
                    file.write(block)
    return {"counts": counts}


def copy(folder: Path) -> dict[str, Any]:
    """Write the same rows by COPY, in one transaction."""
    seconds = {}
    empty()
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for model in TABLES:
            started = time.perf_counter()
            columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
            with (
                cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as to,
                (folder / f"{model._meta.db_table}.copy").open("rb") as file,
            ):
                while block := file.read(1 << 18):
                    to.write(block)
            seconds[model._meta.db_table] = time.perf_counter() - started
    return {"seconds": time.perf_counter() - began, "by table": seconds}  # the commit checks the foreign keys


def bulk_create(folder: Path) -> dict[str, Any]:
    """Write the same rows by bulk_create, 1,000 in a batch, in one transaction. Only writing is timed."""
    seconds = {}
    empty()
    with transaction.atomic():
        for model in TABLES:
            spent = 0.0
            rows = instances(folder, model)
            while values := list(islice(rows, BATCH)):
                started = time.perf_counter()
                model._default_manager.bulk_create([model(**each) for each in values], batch_size=BATCH)
                spent += time.perf_counter() - started
            seconds[model._meta.db_table] = spent
        started = time.perf_counter()
    commit = time.perf_counter() - started  # it checks the foreign keys
    return {"seconds": sum(seconds.values()) + commit, "by table": seconds}


def instances(folder: Path, model: type[Model]) -> Iterator[dict[str, Any]]:
    """Yield the values of each row by attribute, as Python objects: they were typed by PostgreSQL beforehand."""
    with (folder / f"{model._meta.db_table}.jsonl").open(encoding="utf-8") as file:
        fields = {field.attname: field for field in model._meta.concrete_fields}
        for line in file:
            yield {name: fields[name].to_python(value) for name, value in json.loads(line).items()}


def values(folder: Path) -> dict[str, Any]:
    """Write the rows of the import as values, for bulk_create."""
    for model in TABLES:
        table = model._meta.db_table
        names = {field.column: field.attname for field in model._meta.concrete_fields}
        with transaction.atomic(), connection.chunked_cursor() as cursor, (folder / f"{table}.jsonl").open("w") as file:
            cursor.execute(f"SELECT {', '.join(names)} FROM {table}")
            while rows := cursor.fetchmany(5_000):
                for row in rows:
                    found = dict(zip(names.values(), row, strict=True))
                    if model is ImportedPlace:
                        found["values"] = json.loads(found["values"])
                    file.write(json.dumps(found, default=str) + "\n")
    return {}


STEPS: Final = {
    "reset": reset, "import": bring_in, "dump": dump, "values": values, "copy": copy, "bulk_create": bulk_create,
}  # fmt: skip

if __name__ == "__main__":
    answer = STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**answer, "peak": peak}))
