"""How many events a second the relay brings from a backlog to Kafka, compared with a bare producer.

It prints figures and ratios, and asserts nothing. `./manage_all.py bench events_relay [--rounds 3] [--events 100000]`
needs no running platform. It starts its own PostgreSQL, as durable as in production, and its own broker. Each round
measures in turn a relay in its own process, which reads, sends and marks a backlog, and producers that send the same
events from memory. It writes benchmarks/results/events_relay.md.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from benchmarks._events_stage import EventsStage, events_stage
from benchmarks._stage import ROOT, process

RESULT = ROOT / "benchmarks" / "results" / "events_relay.md"
RELAY = [sys.executable, "bookings_service/manage.py", "run_outbox_relay"]
BARE = [sys.executable, "-m", "benchmarks._in_django", "_bare_producer"]
TARGET, TARGET_RATIO = 15_000, 0.25


@dataclass(frozen=True, slots=True)
class Measured:
    """Events a second, and CPU microseconds for each: of the sending process, and of the database."""

    rate: float
    own: float
    database: float = 0.0


def by_relay(bench: EventsStage, relay: psutil.Process, events: int) -> Measured:
    """Measure from the commit of a backlog until the relay has marked its last event."""
    bench.backlog(0)
    used, database = _seconds(relay), bench.database.server_seconds()
    bench.backlog(events)
    began = time.monotonic()
    bench.wait_until_delivered()
    taken = time.monotonic() - began
    return Measured(
        events / taken,
        (_seconds(relay) - used) / events * 1e6,
        (bench.database.server_seconds() - database) / events * 1e6,
    )


def by_producer(bench: EventsStage, events: int, headers: str) -> Measured:
    """Measure a producer that has the same events in memory, and its `headers` ready or not."""
    bench.backlog(events)
    done = subprocess.run([*BARE, headers], cwd=ROOT, env=bench.environment, check=True, capture_output=True, text=True)
    delivered, taken, used = (float(word) for word in done.stdout.split())
    return Measured(delivered / taken, used / delivered * 1e6)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    if options.rounds < 1 or options.events < 1:
        parser.error("--rounds and --events must be at least 1")
    relay: list[Measured] = []
    bare: list[Measured] = []
    ready: list[Measured] = []
    with events_stage() as bench:
        for number in range(options.rounds + 1):
            bare.append(by_producer(bench, options.events, "encoding"))
            ready.append(by_producer(bench, options.events, "ready"))
            bench.backlog(1)
            with process(RELAY, bench.environment) as running:
                bench.wait_until_delivered()
                relay.append(by_relay(bench, running, options.events))
            print(
                f"{number}: relay {relay[-1].rate:,.0f}/s, bare {bare[-1].rate:,.0f}/s, {ready[-1].rate:,.0f}/s",
                file=sys.stderr,
            )
    text = report(relay[1:], bare[1:], ready[1:], events=options.events)  # the first round warms the broker
    RESULT.write_text(text, encoding="utf-8")
    print(text)


def report(relay: list[Measured], bare: list[Measured], ready: list[Measured], *, events: int) -> str:
    """Return the figures as a Markdown document."""
    ratios = [one.rate / other.rate for one, other in zip(relay, bare, strict=True)]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"# From the outbox to Kafka\n\n{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at "
        f"the end; PostgreSQL (fsync) and Kafka on the same machine; "
        f"`./manage_all.py bench events_relay --rounds {len(relay)} --events {events}`; median (minimum – maximum).\n\n"
        "| what | events a second | target | CPU each, program + database, µs |\n|---|---|---|---|\n"
        f"| relay, from a backlog of {events:,} | {_range([one.rate for one in relay])} | ≥ {TARGET:,} "
        f"| {_median(one.own for one in relay):.0f} + {_median(one.database for one in relay):.0f} |\n"
        f"| bare producer | {_range([one.rate for one in bare])} | | {_median(one.own for one in bare):.0f} |\n"
        f"| bare producer, headers ready | {_range([one.rate for one in ready])} | "
        f"| {_median(one.own for one in ready):.0f} |\n"
        f"| relay ÷ bare producer | {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}) "
        f"| ≥ {TARGET_RATIO} | |\n\n"
        "The relay reads, sends, and marks each event on its delivery report; it is timed from the commit of the "
        "backlog to the last mark. A booking has four events, and an event is sent only after the report of the one "
        "before it. The bare producer has the events in memory, encodes the headers of each, and counts the "
        "reports; with headers ready it does not even encode. All are idempotent, with acks of all replicas and lz4. The first round is not counted.\n"
    )


def _seconds(running: psutil.Process) -> float:
    times = running.cpu_times()
    return float(times.user + times.system)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} – {max(values):,.0f})"


if __name__ == "__main__":
    main()
