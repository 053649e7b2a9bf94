"""What a GraphQL request costs: CPU milliseconds of the gateway and of every process behind it. It asserts nothing.

`./manage_all.py bench gateway [--workload a|b|b100|c|d …] [--rounds 3] [--seconds 5]` needs a platform that is up, with
production settings and without the limits on unpaid bookings:
`DEBUG=false HOLD_LIMIT_BOOKINGS=0 HOLD_LIMIT_SEATS=0 ./manage_all.py up --detach`.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.gateway import flame
from benchmarks.gateway.measuring import Measured, idle_seconds, measure
from benchmarks.gateway.peers import install
from benchmarks.gateway.processes import pss_megabytes, running
from benchmarks.gateway.report import cpu_table
from benchmarks.gateway.travellers import Stage
from benchmarks.gateway.workloads import WrongAnswer, workload
from demo.failure import DemoFailed
from launcher.platform import Platform

MARKS = ("a", "b", "b100", "c", "d")


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="bench gateway", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workload", action="append", choices=MARKS, help="may be repeated; all without it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of each workload in a round")
    parser.add_argument("--connections", type=int, default=4, help="requests under way at a time")
    parser.add_argument("--cold", action="store_true", help="b and c rotate over many objects")
    parser.add_argument("--flame", type=Path, metavar="DIR", help="record flame graphs into DIR instead of measuring")
    options = parser.parse_args(arguments)
    options.workload = options.workload or list(MARKS)
    return options


def main() -> int:
    """Measure and print. Return the exit code."""
    options = options_of(sys.argv[1:])
    stage, groups = Stage.of_platform(), running(Platform.from_environment())
    if not groups["gateway.web"]:
        print("The platform is not up. Type: ./manage_all.py up --detach", file=sys.stderr)
        return 3
    rounds: dict[str, list[Measured]] = defaultdict(list)
    try:
        stage.bookings(100 if options.cold or "b100" in options.workload else 20)
        if options.flame:
            return record_all(options, stage, groups)
        for number in range(options.rounds):
            idle = idle_seconds(groups, seconds=3)
            for mark in options.workload:
                load = workload(mark, stage, cold=options.cold)
                measured = measure(
                    stage.gateway_url, load, groups, idle, connections=options.connections, seconds=options.seconds
                )
                label = f"({mark}) {load.title}"
                rounds[label].append(measured)
                print(
                    f"round {number + 1} {label}: {measured.total:.1f} ms, {measured.per_second:.1f}/s", file=sys.stderr
                )
    except (DemoFailed, WrongAnswer) as problem:
        print(f"bench gateway: {problem}", file=sys.stderr)
        return 1
    print("\n".join(cpu_table(rounds)))
    print(f"\nMemory of gateway.web: {pss_megabytes(groups['gateway.web']):.0f} MB (PSS)")
    return 0


def record_all(options: argparse.Namespace, stage: Stage, groups: dict[str, list[int]]) -> int:
    """Record the flame graphs of each workload. Return the exit code."""
    py_spy = install.python_programs() / "py-spy"
    for mark in options.workload:
        load = workload(mark, stage, cold=options.cold)
        for path in flame.record(
            stage.gateway_url, load, groups, py_spy=py_spy, folder=options.flame, seconds=options.seconds
        ):
            print(f"{path} ({path.stat().st_size / 1e3:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
