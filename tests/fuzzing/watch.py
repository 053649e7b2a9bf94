"""What the platform's processes do while they are fuzzed: their memory, restarts, and errors in their logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import psutil

from launcher import children
from launcher.platform import Platform

# The processes that answer requests.
WATCHED: Final = (
    "gateway.web", "users.web", "users.rpc", "destinations.web", "destinations.rpc", "bookings.web", "bookings.rpc",
    "notifications.web", "notifications.rpc",
)  # fmt: skip
# MB. The gateway starts with 105. Its documents take 60 (500,000 characters, 120 bytes each), its plans 50 at most
# (most of it the same documents), and its cache of the catalogue 64. A minute does not fill them, so it still grows
# after the warm-up. The others keep nothing: what grows is the allocator's reserve.
MOST_OF_GATEWAY: Final = 280.0
MOST_GROWTH: Final = {"gateway.web": 80.0}
MOST_GROWTH_OF_OTHERS: Final = 40.0
# Events of failures that no request may cause.
FAILURES: Final = re.compile(
    r"rpc_failed|request_failed|resolver_failed|subscription_failed|operation_failed|socket_failed|page_failed|Traceback"
    r"|Exception in ASGI|never awaited|never retrieved"
)


def memory(platform: Platform) -> dict[str, float]:
    """Return the proportional set size of each process with its children, in megabytes."""
    return {name: _pss(_child(platform, name).pid) for name in WATCHED}


def _child(platform: Platform, name: str) -> children.Child:
    child = children.running(platform, name)
    assert child is not None, f"{name} does not run"
    return child


def _pss(pid: int) -> float:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(float(process.memory_full_info().pss) for process in family) / 1e6


def grown(warm: Mapping[str, float], hot: Mapping[str, float]) -> dict[str, float]:
    """Return the processes that grew by more than they may, with their growth in megabytes."""
    growth = {name: hot[name] - warm[name] for name in WATCHED}
    return {
        name: round(more, 1) for name, more in growth.items() if more > MOST_GROWTH.get(name, MOST_GROWTH_OF_OTHERS)
    }


@dataclass
class Watch:
    """The processes and the ends of their logs when the watch began."""

    platform: Platform = field(default_factory=Platform.from_environment)
    began: Mapping[str, str] = field(init=False)
    ends: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.began = self._incarnations()
        self.ends = {path.name: path.stat().st_size for path in self.platform.log.glob("*.log")}

    def wrong(self, warm: Mapping[str, float], hot: Mapping[str, float]) -> Iterator[str]:
        """Yield each restart, each logged failure, and each process that grew too much from `warm` to `hot`."""
        yield from (f"{name} restarted" for name in self.restarted())
        yield from (f"{name} grew by {megabytes} MB" for name, megabytes in grown(warm, hot).items())
        if hot["gateway.web"] > MOST_OF_GATEWAY:
            yield f"gateway.web takes {hot['gateway.web']:.0f} MB"
        yield from self.failures()

    def restarted(self) -> list[str]:
        """Return the processes that are not the same as when the watch began, workers of a web server included."""
        now = self._incarnations()
        return sorted(name for name, marks in self.began.items() if now[name] != marks)

    def failures(self) -> Iterator[str]:
        """Yield each line with a failure that was logged since the watch began."""
        for path in sorted(self.platform.log.glob("*.log")):
            with path.open("rb") as log:
                log.seek(self.ends.get(path.name, 0))
                for line in log.read().decode(errors="replace").splitlines():
                    if FAILURES.search(line):
                        yield f"{path.name}: {line[:1_500]}"

    def _incarnations(self) -> dict[str, str]:
        return {name: _incarnation(_child(self.platform, name)) for name in WATCHED}


def _incarnation(child: children.Child) -> str:
    workers = psutil.Process(child.pid).children(recursive=True)
    return " ".join([f"{child.pid} {child.started}", *(str(worker.pid) for worker in workers)])
