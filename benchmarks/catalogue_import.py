"""How fast places are imported, beside bulk_create and beside a bare COPY of the same rows. It asserts nothing.

`./manage_all.py bench catalogue_import [--places 147167]` needs no running platform. It starts its own PostgreSQL, as
durable as in production. Each step is a process of its own. It writes benchmarks/results/catalogue_import.md.
"""

import argparse
import datetime
import json
import lzma
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks._stage import ROOT, Stage, stage

RESULT: Final = ROOT / "benchmarks" / "results" / "catalogue_import.md"
WORLD: Final = ROOT / "destinations_service" / "catalogue" / "seed_data" / "world.tsv.xz"
SEED: Final = 20261201
POPULATION: Final = 14  # the column of a GeoNames line


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--places", type=int, default=147_167)
    options = parser.parse_args()
    if options.places < 100:
        parser.error("--places must be at least 100")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MEDIA_ROOT"] = name
        full, changed = files(folder, options.places)
        with stage("destinations") as bench:
            text = report(measure(bench, folder, full, changed), places=options.places)
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def files(folder: Path, places: int) -> tuple[Path, Path]:
    """Write the places to import, and the same with another population in one of a hundred."""
    chance = random.Random(SEED)
    lines = lzma.decompress(WORLD.read_bytes()).decode().splitlines()
    lines = sorted(chance.sample(lines, min(places, len(lines))))
    paths = folder / "full.txt", folder / "changed.txt"
    paths[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
    for index in chance.sample(range(len(lines)), len(lines) // 100):
        parts = lines[index].split("\t")
        parts[POPULATION] = str(int(parts[POPULATION]) + 1)
        lines[index] = "\t".join(parts)
    paths[1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def measure(bench: Stage, folder: Path, full: Path, changed: Path) -> dict[str, Any]:
    """Return what each step measured, by its name."""

    def step(name: str, *arguments: object) -> dict[str, Any]:
        command = [sys.executable, "-m", "benchmarks._in_django", "_catalogue_import_worker", name, str(folder)]
        environment = {**bench.environment, "DJANGO_SETTINGS_MODULE": "destinations_service.config.settings"}
        done = subprocess.run(
            [*command, *map(str, arguments)], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: {answer.get('seconds', 0):.1f} s, peak {answer['peak']:.0f} MB", file=sys.stderr)
        return answer

    step("reset")
    found = {"import": step("import", full), "again": step("import", full), "nightly": step("import", changed)}
    found["dump"] = step("dump")
    step("values")
    return {**found, "copy": step("copy"), "bulk_create": step("bulk_create")}


def report(found: dict[str, Any], *, places: int) -> str:
    """Return the figures as a Markdown document."""
    whole, index = found["import"]["seconds"], found["import"]["index"]
    copy, peer = found["copy"]["seconds"], found["bulk_create"]["seconds"]
    peak = max(found[step]["peak"] for step in ("import", "again", "nightly"))
    memory = psutil.virtual_memory().total / 2**30
    search = sum(seconds for table, seconds in found["bulk_create"]["by table"].items() if "search" in table)
    counts = ", ".join(f"{count:,} of {table}" for table, count in found["dump"]["counts"].items())
    rows = [
        ("import, everything", f"{whole:.1f} s", ""),
        ("of these, the search index", f"{index:.1f} s", ""),
        ("bare COPY of the same rows", f"{copy:.1f} s", ""),
        ("bulk_create of the same rows", f"{peer:.1f} s", ""),
        ("import ÷ bare COPY", f"{whole / copy:.1f}", "≤ 4"),
        ("bulk_create ÷ import", f"{peer / whole:.1f}", "≥ 10"),
        ("the same without the search index", f"{(peer - search) / (whole - index):.1f}", ""),
        ("bulk_create ÷ bare COPY", f"{peer / copy:.1f}", ""),
        ("the same file again", f"{found['again']['seconds']:.1f} s", ""),
        ("nightly import, 1 % changed", f"{found['nightly']['seconds']:.1f} s", ""),
        ("nightly ÷ full", f"{found['nightly']['seconds'] / whole * 100:.0f} %", "≤ 40 %"),
        ("peak memory of the import's process", f"{peak:.0f} MB", "≤ 300 MB"),
    ]
    return (
        f"# Imports of places\n\n{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at "
        "the end; PostgreSQL on the same machine with fsync and synchronous_commit; "
        f"`./manage_all.py bench catalogue_import --places {places}`.\n\n"
        "| what | measured | target |\n|---|---|---|\n"
        + "".join(f"| {name} | {value} | {target} |\n" for name, value, target in rows)
        + f"\nThe import starts with the countries of the seed. Rows at its end: {counts}. COPY and bulk_create start "
        "with empty tables, which have the same indexes, constraints and triggers, and write exactly these rows in one "
        "transaction. bulk_create gets finished values and makes one instance of each model for each row, 1,000 in a "
        "batch; reading its input is not timed. So neither of the two reads GeoNames lines, checks them, looks for known "
        "places, chooses slugs or makes words for the search. `bulk_create ÷ bare COPY` is the most that `bulk_create ÷ "
        "import` could be, because the import writes the same rows.\n"
    )


if __name__ == "__main__":
    main()
