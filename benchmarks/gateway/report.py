"""The tables of `bench gateway`."""

import datetime
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.gateway.measuring import Measured, percentile
from benchmarks.gateway.processes import GROUPS, REST
from benchmarks.gateway.running import COLD, OURS, Results

TITLES: Final = {
    "a": "`me { profile }`",
    "b": "20 bookings with departure, trip, destination, ancestors, photos, invoice",
    "b100": "100 bookings",
    "c": "search of 20 with photos and prices",
    "d": "quote + createBooking",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a workload may cost, in CPU milliseconds of all processes, and of the gateway compared with a peer's."""

    first: float
    moonshot: float | None = None
    cold: float | None = None
    apollo: float | None = None
    strawberry: float | None = None


TARGETS: Final = {
    "a": Target(first=4, moonshot=2.5, apollo=0.8),
    "b": Target(first=40, moonshot=20, cold=60, apollo=0.8, strawberry=0.4),
    "c": Target(first=15, moonshot=8, cold=28),
    "d": Target(first=40, moonshot=25),
}
SLOWEST_P99: Final = 4.0  # × p50, at half of capacity
MOST_FOR_100: Final = 5.0  # × the gateway's cost of 20 bookings


def document(results: Results, *, command: str, memory: Mapping[str, float]) -> str:
    """Return all tables as Markdown."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    lines = [
        "# What a GraphQL request costs",
        "",
        f"{datetime.date.today()}, {machine}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end;"
        f" `{command}`. CPU milliseconds of a request, user and system; medians over the rounds.",
        "",
        *_peers(results),
        "",
        *_processes(results),
        "",
        *_targets(results),
        "",
        *_latencies(results),
        "",
        f"Memory (PSS), with caches: {', '.join(f'{name} {size:.0f} MB' for name, size in memory.items())}.",
        "",
    ]
    return "\n".join(lines)


def _peers(results: Results) -> list[str]:
    names = list(dict.fromkeys(name for _, name in results.rounds if name != COLD))
    lines = [
        f"| workload | gateway: {' / '.join(names)} | all in all: {' / '.join(names)} |",
        "|---|---|---|",
    ]
    for mark in _marks(results):
        rounds = [results.rounds.get((mark, name), []) for name in names]
        gateway = " / ".join(_median([each.gateway for each in of]) for of in rounds)
        total = " / ".join(_median([each.total for each in of]) for of in rounds)
        lines.append(f"| ({mark}) {TITLES[mark]} | {gateway} | {total} |")
    return lines


def _processes(results: Results) -> list[str]:
    names = (*GROUPS, REST)
    lines = [
        f"| ours | {' | '.join(names)} | sum (minimum – maximum) | a second |",
        "|---" * (len(names) + 3) + "|",
    ]
    for (mark, name), rounds in results.rounds.items():
        if name in (OURS, COLD):
            cells = [f"{statistics.median(each.cpu(group) for each in rounds):.2f}" for group in names]
            lines.append(
                f"| ({mark}){' cold' if name == COLD else ''} | {' | '.join(cells)}"
                f" | {spread([each.total for each in rounds])} | {_median([each.per_second for each in rounds])} |"
            )
    return lines


def _targets(results: Results) -> list[str]:
    rows: list[tuple[str, float, float, float | None]] = []
    for mark, target in TARGETS.items():
        ours = results.rounds.get((mark, OURS))
        if not ours:
            continue
        rows.append((f"({mark}) all processes, ms", _middle(ours, "total"), target.first, target.moonshot))
        if target.cold and (cold := results.rounds.get((mark, COLD))):
            rows.append((f"({mark}) all processes, cold, ms", _middle(cold, "total"), target.cold, None))
        for peer, most in (("apollo", target.apollo), ("strawberry", target.strawberry)):
            if most and (theirs := results.rounds.get((mark, peer))):
                ratio = _middle(ours, "gateway") / _middle(theirs, "gateway")
                rows.append((f"({mark}) gateway ÷ {peer}'s", ratio, most, None))
    hundred, twenty = results.rounds.get(("b100", OURS)), results.rounds.get(("b", OURS))
    if hundred and twenty:
        ratio = _middle(hundred, "gateway") / _middle(twenty, "gateway")
        rows.append(("gateway, 100 bookings ÷ 20", ratio, MOST_FOR_100, None))
    return [
        "| figure | measured | first target | moonshot |",
        "|---|---|---|---|",
        *(
            f"| {title} | {value:.2f}{'' if value <= most else ' (missed)'} | ≤ {most:g} | {f'≤ {moon:g}' if moon else '–'} |"
            for title, value, most, moon in rows
        ),
    ]


def _latencies(results: Results) -> list[str]:
    lines = [
        f"| latency of ours | p50, p99 in the closed loop, ms | p50, p99 at half of capacity, ms | p99 ÷ p50 (≤ {SLOWEST_P99:g}) |",
        "|---|---|---|---|",
    ]
    for mark in _marks(results):
        closed = [value for each in results.rounds.get((mark, OURS), []) for value in each.latencies]
        half = results.half.get(mark, [])
        middle, high = (percentile(half, 50), percentile(half, 99)) if half else (0.0, 0.0)
        shown = f"{middle:.0f}, {high:.0f} | {high / middle:.1f}" if half else "– | –"
        lines.append(f"| ({mark}) | {percentile(closed, 50):.0f}, {percentile(closed, 99):.0f} | {shown} |")
    return lines


def _marks(results: Results) -> list[str]:
    return list(dict.fromkeys(mark for mark, _ in results.rounds))


def _middle(rounds: Sequence[Measured], name: str) -> float:
    return statistics.median(getattr(each, name) for each in rounds)


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f}" if values else "–"


def spread(values: Sequence[float]) -> str:
    """Return the median, and the least and the most if there are several values."""
    middle = f"{statistics.median(values):.1f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.1f} – {max(values):.1f})"
