"""What a GraphQL request costs: CPU milliseconds of the gateway and of every process behind it. It asserts nothing.

`./manage_all.py bench gateway [--workload a|b|b100|c|d …] [--rounds 3] [--seconds 5]` needs a platform that is up, with
production settings and high limits:
{UP}

`--only ours` runs no peer. `--flame DIR` records flame graphs instead of measuring. `--write` writes
benchmarks/results/gateway.md.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from benchmarks.gateway import flame
from benchmarks.gateway.gateways import PEERS, all_gateways
from benchmarks.gateway.peers import install
from benchmarks.gateway.processes import pss_megabytes, running
from benchmarks.gateway.report import TITLES, document
from benchmarks.gateway.running import COLD, OURS, run
from benchmarks.gateway.travellers import Stage
from benchmarks.gateway.workloads import UP, WrongAnswer, workload
from demo.failure import DemoFailed
from launcher.platform import Platform

RESULT = Path(__file__).resolve().parent.parent / "results" / "gateway.md"


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="bench gateway", description=(__doc__ or "").format(UP=UP), formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workload", action="append", choices=list(TITLES), help="may be repeated; all without it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of each workload on each gateway in a round")
    parser.add_argument("--connections", type=int, default=4, help="requests under way at a time")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="all without it")
    parser.add_argument("--only", choices=[OURS], help="no peer, no cold run, no run at half of capacity")
    parser.add_argument("--cold", action="store_true", help="with --only: also without the catalogue cache")
    parser.add_argument("--flame", type=Path, metavar="DIR", help="record flame graphs into DIR instead of measuring")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    options = parser.parse_args(arguments)
    options.workload = options.workload or list(TITLES)
    options.half = options.only is None
    options.others = [COLD, *options.peers] if options.only is None else [COLD] * options.cold
    return options


def main() -> int:
    """Measure and print. Return the exit code."""
    options = options_of(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the other gateways are stopped on the way out
    stage, groups = Stage.of_platform(), running(Platform.from_environment())
    own = groups["gateway.web"]
    if not own:
        print(f"The platform is not up. Type: {UP}", file=sys.stderr)
        return 3
    try:
        stage.bookings(100 if COLD in options.others or "b100" in options.workload else 20)
        if options.flame:
            return record_all(options, stage, groups)
        with all_gateways(options.others, url=stage.gateway_url, pids=own) as gateways:
            results = run(options, stage, gateways, groups)
            memory = {gateway.name: pss_megabytes(gateway.pids) for gateway in gateways}
    except (DemoFailed, WrongAnswer) as problem:
        print(f"bench gateway: {problem}", file=sys.stderr)
        return 1
    command = " ".join(["./manage_all.py bench gateway", *sys.argv[1:]])
    text = document(results, command=command, memory=memory)
    print(text)
    if options.write:
        RESULT.write_text(text, encoding="utf-8")
    return 0


def record_all(options: argparse.Namespace, stage: Stage, groups: dict[str, list[int]]) -> int:
    """Record the flame graphs of each workload. Return the exit code."""
    py_spy = install.python_programs() / "py-spy"
    for mark in options.workload:
        load = workload(mark, stage)
        for path in flame.record(
            stage.gateway_url, load, groups, py_spy=py_spy, folder=options.flame, seconds=options.seconds
        ):
            print(f"{os.path.relpath(path)} ({path.stat().st_size / 1e3:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
