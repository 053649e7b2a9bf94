"""One measurement: a workload in a closed loop, and the CPU time that each group of processes used for a request."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.gateway.client import open_loop
from benchmarks.gateway.gateways import Gateway
from benchmarks.gateway.processes import GROUPS, REST, cpu_seconds
from benchmarks.gateway.workloads import Workload

IDLE_SECONDS: Final = 3.0
# Relays and consumers handle the events of the last bookings after the last answer.
SETTLE_SECONDS: Final = 0.5
SETTLE_AFTER_WRITES_SECONDS: Final = 2.0

GATEWAY: Final = GROUPS[0]
EVENT_GROUPS: Final = ("kafka", REST)

Groups = Mapping[str, Sequence[int]]


class Idle:
    """What each group uses without requests: the medians of several looks, because housekeeping comes in bursts."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._looks: dict[str, list[float]] = {name: [] for name in groups}

    def look(self) -> None:
        """Take the CPU time of some seconds without requests."""
        before = cpu_seconds(self._groups)
        time.sleep(IDLE_SECONDS)
        for name, after in cpu_seconds(self._groups).items():
            self._looks[name].append((after - before[name]) / IDLE_SECONDS)

    def rate(self, name: str) -> float:
        """Return the CPU seconds of a group in a second, as all looks so far say."""
        return statistics.median(self._looks[name])


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one workload on one gateway.

    `spent` has the CPU seconds of each group that took part, and `idle` what they use at rest, which is subtracted.
    """

    gateway_name: str
    spent: Mapping[str, float]
    elapsed: float
    idle: Idle
    per_second: float
    latencies: list[float]

    def cpu(self, group: str) -> float:
        """Return the CPU milliseconds of a group for a request, 0 for a group that took no part."""
        if group not in self.spent:
            return 0.0
        at_rest = self.idle.rate(self.gateway_name if group == GATEWAY else group)
        return (self.spent[group] - at_rest * self.elapsed) / len(self.latencies) * 1_000

    @property
    def total(self) -> float:
        """The CPU milliseconds of all groups together."""
        return sum(map(self.cpu, self.spent))

    @property
    def gateway(self) -> float:
        """The CPU milliseconds of the gateway."""
        return self.cpu(GATEWAY)


def measure(
    gateway: Gateway, load: Workload, groups: Groups, idle: Idle, *, connections: int, seconds: float, warm_up: float
) -> Measured:
    """Run the workload for some seconds after a warm-up.

    The group `gateway.web` of the result is `gateway`, whichever it is. Raises WrongAnswer.
    """
    measured = {**groups, GATEWAY: gateway.pids}
    if not load.writes:  # a read writes no event, so these do only what they do at rest, which varies
        measured = {name: pids for name, pids in measured.items() if name not in EVENT_GROUPS}
    settle = SETTLE_AFTER_WRITES_SECONDS if load.writes else SETTLE_SECONDS
    gateway.load(load, connections=connections, seconds=warm_up)
    time.sleep(settle)
    before, began = cpu_seconds(measured), time.monotonic()
    latencies = gateway.load(load, connections=connections, seconds=seconds)
    took = time.monotonic() - began
    time.sleep(settle)
    after, elapsed = cpu_seconds(measured), time.monotonic() - began
    spent = {name: after[name] - before[name] for name in after}
    return Measured(gateway.name, spent, elapsed, idle, len(latencies) / took, latencies)


def at_half_of_capacity(gateway: Gateway, load: Workload, *, capacity: float, seconds: float) -> list[float]:
    """Begin half as many requests a second as a closed loop has reached. Return the milliseconds of each."""
    return asyncio.run(open_loop(gateway.url, load.send, per_second=capacity / 2, seconds=seconds))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least one value."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else values[0]
