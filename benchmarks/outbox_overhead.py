"""What the outbox adds to create_booking. It asserts nothing.

`./manage_all.py bench outbox_overhead [--rounds 5] [--pairs 300]` needs no running platform. It starts its own
PostgreSQL, as durable as in production. One process books with the outbox and without it in turn: without it, the
event's row is not written, and nobody is woken. It writes benchmarks/results/outbox_overhead.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

import psutil

from benchmarks._stage import ROOT, Stage, stage

RESULT = ROOT / "benchmarks" / "results" / "outbox_overhead.md"
TARGET = 0.08


def round_of(bench: Stage, pairs: int) -> tuple[float, float]:
    """Return the median milliseconds of a booking with the outbox and without it."""
    first = bench.quotes(2 * pairs, hot=False)
    command = [sys.executable, "-m", "benchmarks._in_django", "_outbox_worker", str(first), str(pairs)]
    done = subprocess.run(command, cwd=ROOT, env=bench.environment, check=True, capture_output=True, text=True)
    with_outbox, without = json.loads(done.stdout)
    return statistics.median(with_outbox), statistics.median(without)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=300)
    options = parser.parse_args()
    if options.rounds < 1 or options.pairs < 1:
        parser.error("--rounds and --pairs must be at least 1")
    with stage() as bench:
        round_of(bench, 50)  # warm
        rounds = []
        for number in range(options.rounds):
            rounds.append(round_of(bench, options.pairs))
            print(f"{number + 1}: {rounds[-1][0]:.2f} ms with, {rounds[-1][1]:.2f} ms without", file=sys.stderr)
    text = report(rounds, pairs=options.pairs)
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def report(rounds: list[tuple[float, float]], *, pairs: int) -> str:
    """Return the figures as a Markdown document."""
    added = [with_outbox / without - 1 for with_outbox, without in rounds]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"# What the outbox adds to a booking\n\n{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, "
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the end; PostgreSQL on the same machine with fsync and synchronous_commit; "
        f"`./manage_all.py bench outbox_overhead --rounds {len(rounds)} --pairs {pairs}`; median of the rounds "
        "(minimum – maximum).\n\n"
        "| what | median of create_booking | target |\n|---|---|---|\n"
        f"| with the outbox | {_range([each[0] for each in rounds], '.2f', ' ms')} | |\n"
        f"| without it | {_range([each[1] for each in rounds], '.2f', ' ms')} | |\n"
        f"| what it adds | {_range([each * 100 for each in added], '.1f', ' %')} | ≤ {TARGET * 100:.0f} % |\n\n"
        "One thread books with and without in turn, each booking is a transaction of its own, and the answer of "
        "users_service is replaced. Without the outbox, the event is built but its row is not written, and no NOTIFY "
        "follows the commit.\n"
    )


def _range(values: list[float], form: str, unit: str) -> str:
    middle, least, most = (format(value, form) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle}{unit} ({least} – {most})"


if __name__ == "__main__":
    main()
