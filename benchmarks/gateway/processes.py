"""The CPU time and memory of the platform's processes, by group."""

from collections.abc import Iterable, Mapping
from typing import Final

import psutil

from launcher import children
from launcher.platform import Platform

GROUPS: Final = (
    "gateway.web", "users.rpc", "destinations.rpc", "bookings.rpc", "notifications.rpc", "postgres", "valkey", "kafka",
)  # fmt: skip
REST: Final = "rest"  # relays, consumers, workers, the HTTP services, mail and payments


def running(platform: Platform) -> dict[str, list[int]]:
    """Return the ids of the platform's processes by group. A second process of a service is in the service's group."""
    found: dict[str, list[int]] = {name: [] for name in (*GROUPS, REST)}
    for path in sorted(platform.run.glob("*.pid.json")):
        name = path.name.removesuffix(".pid.json")
        child = children.running(platform, name)
        if child is not None:
            found[next((group for group in GROUPS if name.startswith(group)), REST)].append(child.pid)
    return found


def cpu_seconds(groups: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the user and system time of each group so far, with all its children, also those that have ended."""
    return {name: sum(_family_seconds(pid) for pid in pids) for name, pids in groups.items()}


def pss_megabytes(pids: Iterable[int]) -> float:
    """Return the proportional set size of the processes and their children."""
    return sum(process.memory_full_info().pss for pid in pids for process in _family(pid)) / 1e6


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _family_seconds(pid: int) -> float:
    return sum(_own_seconds(process.pid) for process in _family(pid))


def _own_seconds(pid: int) -> float:
    try:
        return float(sum(psutil.Process(pid).cpu_times()[:4]))  # its own, and that of its children that have ended
    except psutil.NoSuchProcess:
        return 0.0
