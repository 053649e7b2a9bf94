"""How many bookings a second, beside pgbench sending the same statements to the same server. Prints figures and ratios; asserts nothing.

`./manage_all.py bench booking_throughput [--rounds 3] [--seconds 5]`: needs nothing up. It starts a PostgreSQL of its own with
production's durability and alternates, round by round: pgbench; two processes that book without a wire; two clients over gRPC, of many
departures and of one, eight and two hundred at once; then latency at half of what gRPC can. Writes
benchmarks/results/booking_throughput.md.
"""

import argparse
import datetime
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks import _pgbench as pgbench
from benchmarks._stage import ROOT, Stage, free_port, process, stage

RESULT = ROOT / "benchmarks" / "results" / "booking_throughput.md"
CLIENTS = 8


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


def in_process(held: Stage, *, hot: bool, seconds: int, quotes: int) -> tuple[float, float]:
    """Return bookings a second of two processes with four threads each, and our CPU seconds for each booking."""
    first = held.quotes(quotes * 2, hot=hot)
    said = workers(
        "benchmarks._booking_worker",
        [[first + n * quotes, quotes, CLIENTS // 2, seconds] for n in (0, 1)],
        held.environment,
    )
    rows = [[float(one) for one in line.split()] for line in said]
    done = sum(row[0] for row in rows)
    return sum(row[0] / row[1] for row in rows), sum(row[2] for row in rows) / done


def over_grpc(
    held: Stage, address: str, *, hot: bool, at_once: int, seconds: int, quotes: int, rate: float = 0
) -> tuple[float, int, list[float]]:
    """Return bookings a second of two client processes, how many calls were shed, and the latencies in ms."""
    first = held.quotes(quotes * 2, hot=hot)
    cards = [held.cards(first + n * quotes, quotes) for n in (0, 1)]
    arguments: list[list[object]] = [[address, one, at_once // 2, seconds] for one in cards]
    if rate:
        arguments = [[*one, rate / 2] for one in arguments]
    rows = [json.loads(line) for line in workers("benchmarks._booking_client", arguments, held.environment)]
    latencies = sorted(value for row in rows for value in row["latencies"])
    return sum(row["booked"] / row["took"] for row in rows), sum(row["shed"] for row in rows), latencies


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    asked = parser.parse_args()
    rates: dict[str, list[float]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)
    shed = 0
    with ExitStack() as stack:
        held = stack.enter_context(stage())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        users, port = free_port(), free_port()
        environment = {**held.environment, "USERS_GRPC": f"127.0.0.1:{users}", "GRPC_PORT": str(port)}
        stack.enter_context(
            process([sys.executable, "-m", "benchmarks._users_double", str(users)], environment, ready=users)
        )
        server = stack.enter_context(
            process([sys.executable, "bookings_service/manage.py", "run_grpc"], environment, ready=port)
        )
        many = stack.enter_context(pgbench.script(held, folder, hot=False))
        address, seconds = f"127.0.0.1:{port}", asked.seconds
        over_grpc(held, address, hot=False, at_once=CLIENTS, seconds=2, quotes=2_000)  # warm
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds}", flush=True)
            each = 1_500 * seconds
            first = held.quotes(each * CLIENTS, hot=False)
            before = held.server_seconds()
            rate, cost = pgbench.run(held, many, first=first, each=each, clients=CLIENTS, seconds=seconds)
            note(
                rates,
                costs,
                "pgbench, many departures",
                rate,
                cost,
                (held.server_seconds() - before) / (rate * seconds),
            )
            for name, hot in (("in process, many departures", False), ("in process, one departure", True)):
                before = held.server_seconds()
                rate, cost = in_process(held, hot=hot, seconds=seconds, quotes=1_000 * seconds)
                note(rates, costs, name, rate, cost, (held.server_seconds() - before) / (rate * seconds))
            for name, hot, at_once in (
                ("gRPC, many departures, 8 at once", False, CLIENTS),
                ("gRPC, one departure, 8 at once", True, CLIENTS),
                ("gRPC, one departure, 200 at once", True, 200),
            ):
                before, used = held.server_seconds(), sum(server.cpu_times()[:2])
                rate, refused, _ = over_grpc(
                    held, address, hot=hot, at_once=at_once, seconds=seconds, quotes=600 * seconds
                )
                shed += refused
                mine = (sum(server.cpu_times()[:2]) - used) / (rate * seconds)
                note(rates, costs, name, rate, mine, (held.server_seconds() - before) / (rate * seconds))
        half = statistics.median(rates["gRPC, many departures, 8 at once"]) / 2
        _, late, latencies = over_grpc(
            held, address, hot=False, at_once=CLIENTS, seconds=10, quotes=int(half * 6) + 100, rate=half
        )
    report(rates, costs, latencies, half=half, shed=shed + late, asked=asked)


def note(
    rates: dict[str, list[float]], costs: dict[str, list[float]], name: str, rate: float, own: float, database: float
) -> None:
    """Keep one measurement: bookings a second, and CPU milliseconds of program and database for each."""
    rates[name].append(rate)
    costs[name].append(own * 1_000)
    costs[f"{name}/database"].append(database * 1_000)
    print(f"  {name:<36} {rate:8.0f} /s   {own * 1_000:6.2f} ms + {database * 1_000:5.2f} ms CPU each", flush=True)


def report(
    rates: dict[str, list[float]], costs: dict[str, list[float]], latencies: list[float], *, half: float, shed: int,
    asked: argparse.Namespace,
) -> None:  # fmt: skip
    """Print and write what was found."""
    median = {name: statistics.median(values) for name, values in rates.items()}
    quantiles = statistics.quantiles(latencies, n=100)
    p50, p99 = quantiles[49], quantiles[98]
    pairs = [
        ("in process ÷ pgbench", "in process, many departures", "pgbench, many departures", "≥ 0.15"),
        ("gRPC ÷ pgbench", "gRPC, many departures, 8 at once", "pgbench, many departures", "≥ 0.08"),
        ("one departure ÷ many, in process", "in process, one departure", "in process, many departures", "≥ 0.90"),
        ("one departure ÷ many, gRPC", "gRPC, one departure, 8 at once", "gRPC, many departures, 8 at once", "≥ 0.90"),
        ("200 at once ÷ 8", "gRPC, one departure, 200 at once", "gRPC, one departure, 8 at once", "≥ 0.90"),
    ]
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, {memory}, Python {platform.python_version()}"
    slow = f"{p99 / p50:.1f} ({p99:.1f} ms ÷ {p50:.1f} ms)"
    lines = [
        "# Bookings a second",
        "",
        f"{datetime.date.today()}, {machine}, PostgreSQL on the same machine with fsync and synchronous_commit;"
        f" `./manage_all.py bench booking_throughput --rounds {asked.rounds} --seconds {asked.seconds}`; median (minimum – maximum).",
        "",
        "| what | bookings a second | CPU each, program + database, ms |",
        "|---|---|---|",
        *(
            f"| {name} | {median[name]:.0f} ({min(values):.0f} – {max(values):.0f}) |"
            f" {statistics.median(costs[name]):.2f} + {statistics.median(costs[name + '/database']):.2f} |"
            for name, values in rates.items()
        ),
        "",
        "| ratio, of the medians | measured | spread over the rounds | target |",
        "|---|---|---|---|",
        *(
            f"| {title} | {median[a] / median[b]:.2f} | {_spread(rates[a], rates[b])} | {target} |"
            for title, a, b, target in pairs
        ),
        f"| p99 ÷ p50 of create_booking over gRPC at {half:.0f} a second | {slow} | | ≤ 5 |",
        "",
        f"{shed} calls were shed with UNAVAILABLE or RESOURCE_EXHAUSTED. pgbench sends the statements of one booking as they were "
        "captured, and looks at no answer; in process is the transaction of create_booking in two processes of four threads; gRPC is one "
        "server process, two client processes and a users_service of their own, all on the same two cores as the database.",
        "",
    ]
    print("\n".join(lines))
    RESULT.write_text("\n".join(lines), encoding="utf-8")


def _spread(ours: list[float], theirs: list[float]) -> str:
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{min(each):.2f} – {max(each):.2f}"


if __name__ == "__main__":
    main()
