"""What one RPC costs: CPU per call of the server and of the client, beside an empty echo of grpc.aio.

`./manage_all.py bench rpc_floor [--rounds 5] [--calls 2000]` needs no running platform. It starts its own PostgreSQL, a
bare echo server, users_service's gRPC server, and one client process for each. The rounds alternate. It prints medians
and the spread, asserts nothing, and writes benchmarks/results/rpc_floor.md.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil

from benchmarks._stage import ROOT, Stage, free_port, process, stage
from shared.auth import testing as keys
from shared.ids import uuid7

RESULT = ROOT / "benchmarks" / "results" / "rpc_floor.md"
USER = uuid7()
AT_ONCE = (1, 8)
_USER = """
INSERT INTO accounts_user (id, password, is_superuser, email, email_verified_at, is_active, is_staff, version, created_at)
VALUES (%(id)s, '', false, 'ann@example.com', now(), true, false, 0, now())"""
_PROFILE = """
INSERT INTO accounts_profile (user_id, first_name, last_name, phone, nationality, locale, currency, time_zone, notify_by_email,
    notify_by_sms)
VALUES (%(id)s, 'Ann', 'Lindqvist', '', '', 'EN', 'EUR', 'UTC', true, true)"""

Figures = dict[tuple[str, int], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A server and the process that calls it."""

    server: psutil.Process
    client: subprocess.Popen[str]

    def ask(self, method: str, calls: int, at_once: int) -> tuple[float, float]:
        """Return the CPU milliseconds per call of the server and of the client."""
        assert self.client.stdin is not None and self.client.stdout is not None
        before = sum(self.server.cpu_times()[:2])
        self.client.stdin.write(f"{method} {calls} {at_once}\n")
        self.client.stdin.flush()
        client = float(self.client.stdout.readline())
        return (sum(self.server.cpu_times()[:2]) - before) / calls * 1_000, client / calls * 1_000


@contextmanager
def pair(bench: Stage, *, server: str, client: str) -> Iterator[Pair]:
    """Run a server and its client during the block."""
    port = free_port()
    serve = [sys.executable, "-m", "benchmarks._rpc_floor_server", server, str(port)]
    environment = {**bench.environment, "DJANGO_SETTINGS_MODULE": "users_service.config.settings"}
    token = keys.mint_access_token(USER, exp=int(time.time()) + 3_600)
    call = [sys.executable, "-m", "benchmarks._rpc_floor_client", client, str(port), str(USER), token]
    calling = {**bench.environment, "DJANGO_SETTINGS_MODULE": "gateway_service.config.settings"}
    with process(serve, environment, ready=port) as running:
        with subprocess.Popen(
            call, cwd=ROOT, env=calling, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as asking:
            assert asking.stdin is not None and asking.stdout is not None
            if asking.stdout.readline().strip() != "ready":
                raise SystemExit("the client did not begin")
            yield Pair(running, asking)
            asking.stdin.close()


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2_000)
    options = parser.parse_args()
    figures: Figures = defaultdict(list)
    with ExitStack() as stack:
        bench = stack.enter_context(stage("users"))
        with bench.connect() as connection:
            connection.execute(_USER, {"id": USER})
            connection.execute(_PROFILE, {"id": USER})
        bare = stack.enter_context(pair(bench, server="echo", client="bare"))
        ours = stack.enter_context(pair(bench, server="service", client="gateway"))
        kinds = (
            ("an empty grpc.aio echo", bare, "BatchGetUsers"),
            ("an authenticated RPC that does nothing", ours, "DescribeLink"),
            ("one that runs SELECT 1", ours, "CheckTraveller"),
            ("BatchGetUsers of one user", ours, "BatchGetUsers"),
        )
        for _, each, method in kinds:
            each.ask(method, 500, 8)  # warm
        for number in range(options.rounds):
            for at_once in AT_ONCE:
                for name, each, method in kinds:
                    server, client = each.ask(method, options.calls, at_once)
                    figures[name, at_once].append((server, client))
                    print(f"{number + 1}  {name:<40} {at_once} at once  {server:.3f} {client:.3f} ms", flush=True)
    RESULT.write_text(report(figures, options.calls))
    print(RESULT.read_text())


def report(figures: Figures, calls: int) -> str:
    """Return the result as Markdown."""
    names = list(dict.fromkeys(name for name, _ in figures))
    rows = "".join(
        f"| {name} | "
        + " | ".join(spread(figures[name, at_once], side) for side in (0, 1) for at_once in AT_ONCE)
        + " |\n"
        for name in names
    )
    rounds = len(next(iter(figures.values())))
    return (
        "# What one RPC costs\n\n"
        f"`./manage_all.py bench rpc_floor --rounds {rounds} --calls {calls}`, {datetime.date.today()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}.\n"
        "Milliseconds of CPU per call, with one call at a time and with eight: the median, and the lowest and highest round.\n\n"
        "| call | server, 1 | server, 8 | client, 1 | client, 8 |\n|---|---|---|---|---|\n"
        f"{rows}"
    )


def spread(pairs: list[tuple[float, float]], side: int) -> str:
    """Return the median, and the lowest and highest value."""
    values = [pair[side] for pair in pairs]
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
