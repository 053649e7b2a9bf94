"""The tables of `bench gateway`."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.gateway.measuring import Measured, percentile
from benchmarks.gateway.processes import GROUPS, REST

Rounds = Mapping[str, Sequence[Measured]]  # the rounds of each workload, by its label


def cpu_table(rounds: Rounds) -> list[str]:
    """Return the CPU milliseconds of a request by process, each the median over the rounds."""
    names = (*GROUPS, REST)
    lines = [
        f"| CPU ms of a request | {' | '.join(names)} | sum (minimum – maximum) | a second | p50, ms | p99, ms |",
        "|---" * (len(names) + 5) + "|",
    ]
    for label, measured in rounds.items():
        cells = [f"{statistics.median(each.cpu[name] for each in measured):.2f}" for name in names]
        latencies = [value for each in measured for value in each.latencies]
        lines.append(
            f"| {label} | {' | '.join(cells)} | {spread([each.total for each in measured])}"
            f" | {statistics.median(each.per_second for each in measured):.1f}"
            f" | {percentile(latencies, 50):.0f} | {percentile(latencies, 99):.0f} |"
        )
    return lines


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median, and the least and the most if there are several values."""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f} – {max(values):.{digits}f})"
