"""The rounds: in each, every workload runs on every gateway, one after another."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.gateway.gateways import Gateway
from benchmarks.gateway.measuring import Groups, Idle, Measured, at_half_of_capacity, measure
from benchmarks.gateway.travellers import Stage
from benchmarks.gateway.workloads import workload

COLD_MARKS: Final = ("b", "c")
OURS: Final = "ours"
COLD: Final = "ours, cold"
# A just-in-time compiler needs hundreds of requests, so a gateway's first run of a workload is warmed up for longer.
FIRST_WARM_UP_SECONDS: Final = 15.0
WARM_UP_SECONDS: Final = 1.5


@dataclass(slots=True)
class Results:
    """The rounds by workload and gateway, and the latencies of ours at half of its capacity by workload."""

    rounds: dict[tuple[str, str], list[Measured]] = field(default_factory=lambda: defaultdict(list))
    half: dict[str, list[float]] = field(default_factory=dict)


def run(options: argparse.Namespace, stage: Stage, gateways: Sequence[Gateway], groups: Groups) -> Results:
    """Measure all rounds. The gateways take turns at being the first. Raises WrongAnswer."""
    results = Results()
    idle = Idle({**groups, **{gateway.name: gateway.pids for gateway in gateways}})
    for number in range(options.rounds):
        turn = number % len(gateways)
        for mark in options.workload:
            idle.look()
            warm = workload(mark, stage)
            for gateway in (*gateways[turn:], *gateways[:turn]):
                if gateway.name == COLD and mark not in COLD_MARKS:
                    continue
                measured = measure(
                    gateway,
                    workload(mark, stage, cold=True) if gateway.name == COLD else warm,
                    groups,
                    idle,
                    connections=options.connections,
                    seconds=options.seconds,
                    warm_up=WARM_UP_SECONDS if number or options.only else FIRST_WARM_UP_SECONDS,
                )
                results.rounds[mark, gateway.name].append(measured)
                _tell(f"round {number + 1} ({mark}) {gateway.name}", measured)
    if options.half:
        _half(options, stage, gateways[0], results)
    return results


def _tell(what: str, measured: Measured) -> None:
    costs = f"gateway {measured.gateway:.2f} ms, all {measured.total:.1f} ms, {measured.per_second:.1f}/s"
    print(f"{what}: {costs}", file=sys.stderr)


def _half(options: argparse.Namespace, stage: Stage, ours: Gateway, results: Results) -> None:
    for mark in options.workload:
        rates = sorted(measured.per_second for measured in results.rounds[mark, OURS])
        load, capacity = workload(mark, stage), rates[len(rates) // 2]
        results.half[mark] = at_half_of_capacity(ours, load, capacity=capacity, seconds=options.seconds * 2)
