"""Whether the search finds what people look for, and how fast, among 150,000 places. It asserts nothing.

`./manage_all.py bench catalogue` needs no running platform: it starts its own PostgreSQL, seeds it, imports the world,
and adds trips up to 1,000 with 50 departures each. The search is called in the process that measures, with the
statements and views of an RPC but without gRPC. It writes benchmarks/results/catalogue.md.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from typing import Any, Final

import psutil

from benchmarks._stage import ROOT, Stage, stage

RESULT: Final = ROOT / "benchmarks" / "results" / "catalogue.md"


def main() -> None:
    """Measure, print, and write the result."""
    with tempfile.TemporaryDirectory() as media:
        os.environ["MEDIA_ROOT"] = media
        with stage("destinations") as bench:
            text = report(measure(bench))
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def measure(bench: Stage) -> dict[str, Any]:
    """Seed the world and return what the worker prints."""
    environment = {**bench.environment, "DJANGO_SETTINGS_MODULE": "destinations_service.config.settings"}
    seed = [sys.executable, "destinations_service/manage.py", "seed", "--world"]
    subprocess.run(seed, cwd=ROOT, env=environment, check=True)
    worker = [sys.executable, "-m", "benchmarks._in_django", "_catalogue_search_worker"]
    output = subprocess.run(worker, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    measured: dict[str, Any] = json.loads(output.splitlines()[-1])
    return measured


def report(measured: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    places, trips, departures = measured["sizes"]
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        "# The search of the catalogue", "",
        f"{datetime.date.today()}, {machine}, load {load}; `./manage_all.py bench catalogue`; {places:,} places,"
        f" {trips:,} trips, {departures:,} departures.", "",
        "| texts | found | of |", "|---|---|---|",
        *(
            f"| one typing error, seed {seed}: among the first three | {row['found']} | {row['of']} |"
            for seed, row in measured["errors"].items()
        ),
        f"| a name in any language: first | {measured['exact']['found']} | {measured['exact']['of']} |", "",
        "Not found: "
        + "; ".join(f"`{text}`" for row in (*measured["errors"].values(), measured["exact"]) for text in row["missed"])
        + ".", "",
        "Milliseconds of a call in the process that measures, without gRPC. Cold is the first use of a text.", "",
        "| what | cold p50 | cold p99 | warm p50 | warm p99 |", "|---|---|---|---|---|",
        *(f"| {name} | {' | '.join(str(value) for value in row.values())} |" for name, row in measured["speed"].items()),
        "",
        f"The same statements by psycopg alone take {measured['bare']['bare ms']} ms for a search that takes"
        f" {measured['bare']['ours ms']} ms: {measured['bare']['ratio']}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
