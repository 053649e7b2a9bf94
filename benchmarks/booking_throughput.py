"""How many bookings a second, beside pgbench sending the same statements to the same server. Prints figures and ratios; asserts nothing.

`./manage_all.py bench booking_throughput [--rounds 3] [--seconds 5]`: needs nothing up. It starts a PostgreSQL of its own with
production's durability and alternates, round by round: pgbench; two processes that book without a wire; two clients over gRPC, of many
departures and of one, eight and two hundred at once; then latency at half of what gRPC can. Writes
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
PEER = "pgbench, many departures"
IN_PROCESS, IN_PROCESS_HOT = "in process, many departures", "in process, one departure"
GRPC, GRPC_HOT = "gRPC, many departures, 8 at once", "gRPC, one departure, 8 at once"
GRPC_CROWD = "gRPC, one departure, 200 at once"
PAIRS = (
    ("in process ÷ pgbench", IN_PROCESS, PEER, "≥ 0.15"),
    ("gRPC ÷ pgbench", GRPC, PEER, "≥ 0.08"),
    ("one departure ÷ many, in process", IN_PROCESS_HOT, IN_PROCESS, "≥ 0.90"),
    ("one departure ÷ many, gRPC", GRPC_HOT, GRPC, "≥ 0.90"),
    ("200 at once ÷ 8", GRPC_CROWD, GRPC_HOT, "≥ 0.90"),
)


def workers(module: str, arguments: list[list[object]], environment: dict[str, str]) -> list[str]:
    """Run processes of `module` that begin together; return the last line of each."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", module, *map(str, one)], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for one in arguments
    ]  # fmt: skip
    for one in started:
        if one.stdout is None or one.stdout.readline().strip() != "ready":
            raise SystemExit(f"{module} did not begin")
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [one.communicate(timeout=120)[0].strip().splitlines()[-1] for one in started]


@dataclass(frozen=True, slots=True)
class Measured:
    """Bookings a second, CPU seconds of our program and of the database for each, calls that were shed, latencies in ms."""

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


def beside_pgbench(held: Stage, script: Path, *, seconds: int) -> Measured:
    """Let the peer book."""
    each = 1_500 * seconds
    first = held.quotes(each * CLIENTS, hot=False)
    before = held.server_seconds()
    rate, own = pgbench.run(held, script, first=first, each=each, clients=CLIENTS, seconds=seconds)
    return Measured(rate, own, (held.server_seconds() - before) / (rate * seconds))


def in_process(held: Stage, *, hot: bool, seconds: int, quotes: int) -> Measured:
    """Book in two processes with four threads each."""
    first = held.quotes(quotes * 2, hot=hot)
    before = held.server_seconds()
    arguments: list[list[object]] = [[first + n * quotes, quotes, CLIENTS // 2, seconds] for n in (0, 1)]
    rows = [
        [float(one) for one in line.split()]
        for line in workers("benchmarks._booking_worker", arguments, held.environment)
    ]
    done = sum(row[0] for row in rows)
    return Measured(
        rate=sum(row[0] / row[1] for row in rows),
        own=sum(row[2] for row in rows) / done,
        database=(held.server_seconds() - before) / done,
    )


def over_grpc(
    held: Stage, served: Served, *, hot: bool, at_once: int, seconds: int, quotes: int, rate: float = 0
) -> Measured:
    """Book from two client processes; our program is the server."""
    first = held.quotes(quotes * 2, hot=hot)
    cards = [held.cards(first + n * quotes, quotes) for n in (0, 1)]
    arguments: list[list[object]] = [[served.address, one, at_once // 2, seconds] for one in cards]
    if rate:
        arguments = [[*one, rate / 2] for one in arguments]
    database, own = held.server_seconds(), sum(served.process.cpu_times()[:2])
    rows = [json.loads(line) for line in workers("benchmarks._booking_client", arguments, held.environment)]
    done = sum(row["booked"] for row in rows)
    return Measured(
        rate=sum(row["booked"] / row["took"] for row in rows),
        own=(sum(served.process.cpu_times()[:2]) - own) / done,
        database=(held.server_seconds() - database) / done,
        shed=sum(row["shed"] for row in rows),
        latencies=tuple(sorted(value for row in rows for value in row["latencies"])),
    )


@contextmanager
def server(held: Stage) -> Iterator[Served]:
    """Run the gRPC server beside a users_service, each a process of its own."""
    users, port = free_port(), free_port()
    environment = {**held.environment, "USERS_GRPC": f"127.0.0.1:{users}", "GRPC_PORT": str(port)}
    double = [sys.executable, "-m", "benchmarks._users_double", str(users)]
    ours = [sys.executable, "bookings_service/manage.py", "run_grpc"]
    with process(double, environment, ready=users), process(ours, environment, ready=port) as running:
        yield Served(f"127.0.0.1:{port}", running)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    asked = parser.parse_args()
    seconds, load = asked.seconds, os.getloadavg()[0]
    found: dict[str, list[Measured]] = defaultdict(list)
    with stage() as held, server(held) as served, pgbench.script(held, held.folder, hot=False) as script:
        act: dict[str, Callable[[], Measured]] = {
            PEER: lambda: beside_pgbench(held, script, seconds=seconds),
            IN_PROCESS: lambda: in_process(held, hot=False, seconds=seconds, quotes=1_000 * seconds),
            IN_PROCESS_HOT: lambda: in_process(held, hot=True, seconds=seconds, quotes=1_000 * seconds),
            GRPC: lambda: over_grpc(held, served, hot=False, at_once=8, seconds=seconds, quotes=600 * seconds),
            GRPC_HOT: lambda: over_grpc(held, served, hot=True, at_once=8, seconds=seconds, quotes=600 * seconds),
            GRPC_CROWD: lambda: over_grpc(held, served, hot=True, at_once=200, seconds=seconds, quotes=600 * seconds),
        }
        over_grpc(held, served, hot=False, at_once=CLIENTS, seconds=2, quotes=2_000)  # warm
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds}", flush=True)
            for name, measure in act.items():
                one = measure()
                found[name].append(one)
                cost = f"{one.own * 1_000:6.2f} ms + {one.database * 1_000:5.2f} ms CPU each"
                print(f"  {name:<36} {one.rate:8.0f} /s   {cost}", flush=True)
        half = statistics.median(one.rate for one in found[GRPC]) / 2
        calm = over_grpc(held, served, hot=False, at_once=CLIENTS, seconds=15, quotes=int(half * 10) + 100, rate=half)
    report(found, calm, half=half, load=load, asked=asked)


def report(
    found: dict[str, list[Measured]], calm: Measured, *, half: float, load: float, asked: argparse.Namespace
) -> None:
    """Print and write what was found."""
    rates = {name: [one.rate for one in rounds] for name, rounds in found.items()}
    median = {name: statistics.median(values) for name, values in rates.items()}
    quantiles = statistics.quantiles(calm.latencies, n=100)
    p50, p99 = quantiles[49], quantiles[98]
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, {memory}, Python {platform.python_version()}"
    slow = f"{p99 / p50:.1f} ({p99:.1f} ms ÷ {p50:.1f} ms)"
    shed = sum(one.shed for rounds in found.values() for one in rounds) + calm.shed
    lines = [
        "# Bookings a second",
        "",
        f"{datetime.date.today()}, {machine}, load {load:.1f} before it began, PostgreSQL on the same machine with fsync"
        f" and synchronous_commit;"
        f" `./manage_all.py bench booking_throughput --rounds {asked.rounds} --seconds {asked.seconds}`; median (minimum – maximum).",
        "",
        "| what | bookings a second | CPU each, program + database, ms |",
        "|---|---|---|",
        *(f"| {name} | {_range(rates[name])} | {_milliseconds(rounds)} |" for name, rounds in found.items()),
        "",
        "| ratio, of the medians | measured | spread over the rounds | target |",
        "|---|---|---|---|",
        *(
            f"| {title} | {median[a] / median[b]:.2f} | {_spread(rates[a], rates[b])} | {target} |"
            for title, a, b, target in PAIRS
        ),
        f"| p99 ÷ p50 of create_booking over gRPC at {half:.0f} a second | {slow} | | ≤ 5 |",
        "",
        f"{shed} calls were shed with UNAVAILABLE and came again when they had been told to. pgbench sends the statements of one booking as"
        " they were captured, and looks at no answer; in process is create_booking, users_service's answer given, in two processes of four"
        " threads; gRPC is one server process, two client processes and a users_service of their own, all on the same two cores as the"
        " database. At half the capacity calls begin at random, however long earlier ones take, and are timed from when they were due.",
        "",
    ]
    print("\n".join(lines))
    RESULT.write_text("\n".join(lines), encoding="utf-8")


def _range(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} – {max(values):.0f})"


def _milliseconds(rounds: list[Measured]) -> str:
    own, database = (
        statistics.median(values) for values in zip(*((one.own, one.database) for one in rounds), strict=True)
    )
    return f"{own * 1_000:.2f} + {database * 1_000:.2f}"


def _spread(ours: list[float], theirs: list[float]) -> str:
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{min(each):.2f} – {max(each):.2f}"


if __name__ == "__main__":
    main()
