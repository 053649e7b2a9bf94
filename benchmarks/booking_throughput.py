"""How many bookings per second, compared with pgbench, which sends the same statements to the same server.

It prints figures and ratios, and asserts nothing. `./manage_all.py bench booking_throughput [--rounds 3] [--seconds 5]`
needs no running platform. It starts its own PostgreSQL, as durable as in production. Each round measures in turn:
pgbench; two processes that book without gRPC; two clients over gRPC, with many departures and with one, with eight
calls at once and with two hundred. Then it measures latency at half of the rate that gRPC reached. It writes
benchmarks/results/booking_throughput.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import _pgbench as pgbench
from benchmarks._stage import ROOT, Stage, free_port, process, stage

RESULT = ROOT / "benchmarks" / "results" / "booking_throughput.md"
CLIENTS = 8
REFERENCE = "pgbench, many departures"
IN_PROCESS, IN_PROCESS_HOT = "in process, many departures", "in process, one departure"
GRPC, GRPC_HOT = "gRPC, many departures, 8 at once", "gRPC, one departure, 8 at once"
GRPC_200 = "gRPC, one departure, 200 at once"
PAIRS = (
    ("in process ÷ pgbench", IN_PROCESS, REFERENCE, "≥ 0.15"),
    ("gRPC ÷ pgbench", GRPC, REFERENCE, "≥ 0.08"),
    ("one departure ÷ many, in process", IN_PROCESS_HOT, IN_PROCESS, "≥ 0.90"),
    ("one departure ÷ many, gRPC", GRPC_HOT, GRPC, "≥ 0.90"),
    ("200 at once ÷ 8", GRPC_200, GRPC_HOT, "≥ 0.90"),
)


def workers(module: str, arguments: list[list[object]], environment: dict[str, str]) -> list[str]:
    """Run one process of `module` per argument list. They begin together. Return the last output line of each."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", module, *map(str, each)], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for each in arguments
    ]  # fmt: skip
    for worker in started:
        if worker.stdout is None or worker.stdout.readline().strip() != "ready":
            raise SystemExit(f"{module} did not begin")
    for worker in started:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [worker.communicate(timeout=120)[0].strip().splitlines()[-1] for worker in started]


@dataclass(frozen=True, slots=True)
class Measured:
    """Bookings per second, CPU seconds per booking of our program and of the database, calls that were shed, latencies
    in ms.
    """

    rate: float
    own: float
    database: float
    shed: int = 0
    latencies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """bookings_service's gRPC server."""

    address: str
    process: psutil.Process


def beside_pgbench(bench: Stage, script: Path, *, seconds: int) -> Measured:
    """Measure pgbench, the reference."""
    each = 1_500 * seconds
    first = bench.quotes(each * CLIENTS, hot=False)
    before = bench.server_seconds()
    rate, own = pgbench.run(bench, script, first=first, each=each, clients=CLIENTS, seconds=seconds)
    return Measured(rate, own, (bench.server_seconds() - before) / (rate * seconds))


def in_process(bench: Stage, *, hot: bool, seconds: int, quotes: int) -> Measured:
    """Measure two processes with four threads each."""
    first = bench.quotes(quotes * 2, hot=hot)
    before = bench.server_seconds()
    arguments: list[list[object]] = [
        ["_booking_worker", first + n * quotes, quotes, CLIENTS // 2, seconds] for n in (0, 1)
    ]
    rows = [
        [float(figure) for figure in output.split()]
        for output in workers("benchmarks._in_django", arguments, bench.environment)
    ]
    done = sum(row[0] for row in rows)
    return Measured(
        rate=sum(row[0] / row[1] for row in rows),
        own=sum(row[2] for row in rows) / done,
        database=(bench.server_seconds() - before) / done,
    )


def over_grpc(
    bench: Stage, served: Served, *, hot: bool, at_once: int, seconds: int, quotes: int, rate: float = 0
) -> Measured:
    """Measure two client processes. CPU time is that of the gRPC server."""
    first = bench.quotes(quotes * 2, hot=hot)
    cards = [bench.cards(first + n * quotes, quotes) for n in (0, 1)]
    arguments: list[list[object]] = [[served.address, file, at_once // 2, seconds] for file in cards]
    if rate:
        arguments = [[*each, rate / 2] for each in arguments]
    database, own = bench.server_seconds(), sum(served.process.cpu_times()[:2])
    rows = [json.loads(output) for output in workers("benchmarks._booking_client", arguments, bench.environment)]
    done = sum(row["booked"] for row in rows)
    return Measured(
        rate=sum(row["booked"] / row["took"] for row in rows),
        own=(sum(served.process.cpu_times()[:2]) - own) / done,
        database=(bench.server_seconds() - database) / done,
        shed=sum(row["shed"] for row in rows),
        latencies=tuple(sorted(value for row in rows for value in row["latencies"])),
    )


@contextmanager
def server(bench: Stage) -> Iterator[Served]:
    """Run the gRPC server and a double of users_service, each in its own process."""
    users, port = free_port(), free_port()
    environment = {**bench.environment, "USERS_GRPC": f"127.0.0.1:{users}", "GRPC_PORT": str(port)}
    double = [sys.executable, "-m", "benchmarks._users_double", str(users)]
    bookings = [sys.executable, "bookings_service/manage.py", "run_grpc"]
    with process(double, environment, ready=users), process(bookings, environment, ready=port) as running:
        yield Served(f"127.0.0.1:{port}", running)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    seconds, load = options.seconds, os.getloadavg()[0]
    measured: dict[str, list[Measured]] = defaultdict(list)
    with stage() as bench, server(bench) as served, pgbench.script(bench, bench.folder, hot=False) as script:
        measures: dict[str, Callable[[], Measured]] = {
            REFERENCE: lambda: beside_pgbench(bench, script, seconds=seconds),
            IN_PROCESS: lambda: in_process(bench, hot=False, seconds=seconds, quotes=1_000 * seconds),
            IN_PROCESS_HOT: lambda: in_process(bench, hot=True, seconds=seconds, quotes=1_000 * seconds),
            GRPC: lambda: over_grpc(bench, served, hot=False, at_once=8, seconds=seconds, quotes=600 * seconds),
            GRPC_HOT: lambda: over_grpc(bench, served, hot=True, at_once=8, seconds=seconds, quotes=600 * seconds),
            GRPC_200: lambda: over_grpc(bench, served, hot=True, at_once=200, seconds=seconds, quotes=600 * seconds),
        }
        over_grpc(bench, served, hot=False, at_once=CLIENTS, seconds=2, quotes=2_000)  # warm
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            for name, measure in measures.items():
                result = measure()
                measured[name].append(result)
                cost = f"{result.own * 1_000:6.2f} ms + {result.database * 1_000:5.2f} ms CPU each"
                print(f"  {name:<36} {result.rate:8.0f} /s   {cost}", flush=True)
        half = statistics.median(result.rate for result in measured[GRPC]) / 2
        calm = over_grpc(bench, served, hot=False, at_once=CLIENTS, seconds=15, quotes=int(half * 10) + 100, rate=half)
    report(measured, calm, half=half, load=load, options=options)


def report(
    measured: dict[str, list[Measured]], calm: Measured, *, half: float, load: float, options: argparse.Namespace
) -> None:
    """Print and write the figures."""
    rates = {name: [result.rate for result in rounds] for name, rounds in measured.items()}
    median = {name: statistics.median(values) for name, values in rates.items()}
    quantiles = statistics.quantiles(calm.latencies, n=100)
    p50, p99 = quantiles[49], quantiles[98]
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, {memory}, Python {platform.python_version()}"
    slow = f"{p99 / p50:.1f} ({p99:.1f} ms ÷ {p50:.1f} ms)"
    shed = sum(result.shed for rounds in measured.values() for result in rounds) + calm.shed
    lines = [
        "# Bookings a second",
        "",
        f"{datetime.date.today()}, {machine}, load {load:.1f} before it began, PostgreSQL on the same machine with fsync"
        f" and synchronous_commit;"
        f" `./manage_all.py bench booking_throughput --rounds {options.rounds} --seconds {options.seconds}`; median (minimum – maximum).",
        "",
        "| what | bookings a second | CPU each, program + database, ms |",
        "|---|---|---|",
        *(f"| {name} | {_range(rates[name])} | {_milliseconds(rounds)} |" for name, rounds in measured.items()),
        "",
        "| ratio, of the medians | measured | spread over the rounds | target |",
        "|---|---|---|---|",
        *(
            f"| {title} | {median[a] / median[b]:.2f} | {_spread(rates[a], rates[b])} | {target} |"
            for title, a, b, target in PAIRS
        ),
        f"| p99 ÷ p50 of create_booking over gRPC at {half:.0f} a second | {slow} | | ≤ 5 |",
        "",
        f"{shed} calls were shed with UNAVAILABLE and repeated after the pause that the server asked for. pgbench sends the"
        " captured statements of one booking and does not read the answers. `in process` is create_booking in two processes of"
        " four threads, with the answer of users_service replaced. `gRPC` is one server process, two client processes and a"
        " double of users_service, all on the same cores as the database. At half of the capacity, calls begin at random times,"
        " however long earlier calls take. Latency counts from the time at which a call was due.",
        "",
    ]
    print("\n".join(lines))
    RESULT.write_text("\n".join(lines), encoding="utf-8")


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} – {max(values):.0f})"


def _milliseconds(rounds: list[Measured]) -> str:
    own, database = (
        statistics.median(values) for values in zip(*((result.own, result.database) for result in rounds), strict=True)
    )
    return f"{own * 1_000:.2f} + {database * 1_000:.2f}"


def _spread(values: list[float], reference: list[float]) -> str:
    ratios = [a / b for a, b in zip(values, reference, strict=True)]
    return f"{min(ratios):.2f} – {max(ratios):.2f}"


if __name__ == "__main__":
    main()
