"""One measurement: a workload in a closed loop, and the CPU time that each group of processes used for a request."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.gateway.client import closed_loop
from benchmarks.gateway.processes import cpu_seconds
from benchmarks.gateway.workloads import Workload

WARM_UP_SECONDS: Final = 1.5
# Relays and consumers handle the events of the last bookings after the last answer.
SETTLE_SECONDS: Final = 0.5
SETTLE_AFTER_WRITES_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one workload: CPU milliseconds for a request by group, the rate and the latencies."""

    cpu: dict[str, float]
    per_second: float
    latencies: list[float]

    @property
    def total(self) -> float:
        """The CPU milliseconds of all groups together."""
        return sum(self.cpu.values())


def idle_seconds(groups: Mapping[str, Sequence[int]], *, seconds: float) -> dict[str, float]:
    """Return the CPU seconds that each group uses in a second without requests."""
    before = cpu_seconds(groups)
    time.sleep(seconds)
    return {name: (after - before[name]) / seconds for name, after in cpu_seconds(groups).items()}


def measure(
    url: str,
    load: Workload,
    groups: Mapping[str, Sequence[int]],
    idle: Mapping[str, float],
    *,
    connections: int,
    seconds: float,
) -> Measured:
    """Run the workload for some seconds after a short warm-up. `idle` is subtracted. Raises WrongAnswer."""
    asyncio.run(closed_loop(url, load.send, connections=connections, seconds=WARM_UP_SECONDS))
    settle = SETTLE_AFTER_WRITES_SECONDS if load.writes else SETTLE_SECONDS
    time.sleep(settle)
    before, began = cpu_seconds(groups), time.monotonic()
    latencies = asyncio.run(closed_loop(url, load.send, connections=connections, seconds=seconds))
    took = time.monotonic() - began
    time.sleep(settle)
    after, elapsed = cpu_seconds(groups), time.monotonic() - began
    requests = len(latencies)
    cpu = {name: (after[name] - before[name] - idle[name] * elapsed) / requests * 1_000 for name in after}
    return Measured(cpu, requests / took, latencies)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least one value."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else values[0]
