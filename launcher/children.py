"""Children of the launcher: started in sessions of their own, so that they outlive it, and known again by pid files.

A pid file names the process and when it started, in the kernel's own ticks: a pid that was given to somebody else is not
taken for ours. Every child also carries TRAVEL_VAR and TRAVEL_PROCESS in its environment: one whose pid file was never
written (the launcher was killed in between) is found by them.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from launcher.platform import Platform

MARK: Final = "TRAVEL_PROCESS"
LARGEST_LOG: Final = 20_000_000  # bytes; a longer one is set aside as .1 when its process starts


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started. `started` tells it from any later owner of its pid."""

    name: str
    pid: int
    started: str
    restarts: int = 0

    def alive(self) -> bool:
        """Return whether this very process still runs (a zombie does not)."""
        return start_mark(self.pid) == self.started

    def age(self) -> float:
        """Return the seconds since it started, 0 where it is gone."""
        try:
            return max(0.0, time.time() - psutil.Process(self.pid).create_time())
        except psutil.Error:
            return 0.0

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, nothing where it is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and all of its session."""
        if self.alive():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.send(signal.SIGKILL)


def marks(platform: Platform, name: str) -> dict[str, str]:
    """Return the variables by which a process of this platform is known, whoever has lost sight of it."""
    return {MARK: name, "TRAVEL_VAR": str(platform.var)}


def start_mark(pid: int) -> str | None:
    """Return what tells this process from a later one with the same pid; None where none runs."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat[stat.rindex(")") + 2 :].split()
        return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def spawn(
    platform: Platform,
    name: str,
    command: list[str],
    *,
    environment: Mapping[str, str],
    restarts: int = 0,
    cwd: Path | None = None,
    user: Mapping[str, Any] | None = None,
) -> tuple[Child, "subprocess.Popen[bytes]"]:
    """Start a child in its own session, its output appended to var/log/<name>.log, and write its pid file."""
    path = log_of(platform, name)
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    (platform.run / f"{name}.heartbeat").unlink(missing_ok=True)
    with path.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd or platform.root,
            env={**environment, **marks(platform, name)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **(user or {}),
        )
    child = Child(name=name, pid=process.pid, started=start_mark(process.pid) or "gone", restarts=restarts)
    try:
        write_record(platform, child)
    except OSError:
        process.kill()  # nobody would know of it
        process.wait()
        raise
    return child, process


def write_record(platform: Platform, child: Child) -> None:
    """Write the child's pid file, whole or not at all."""
    path = platform.run / f"{child.name}.pid.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(child)))
    draft.replace(path)


def recorded(platform: Platform, name: str) -> Child | None:
    """Return the child that the pid file names, alive or not; None where there is no readable one."""
    try:
        return Child(**json.loads((platform.run / f"{name}.pid.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(platform: Platform, name: str) -> Child | None:
    """Return the child of that name if it runs."""
    child = recorded(platform, name)
    return child if child and child.alive() else None


def forget(platform: Platform, name: str) -> None:
    """Remove the pid file and heartbeat of a child that was stopped on purpose."""
    (platform.run / f"{name}.pid.json").unlink(missing_ok=True)
    (platform.run / f"{name}.heartbeat").unlink(missing_ok=True)


def strays(platform: Platform, known: Iterable[Child] = ()) -> list[Child]:
    """Return running processes that carry this platform's mark and are not among `known` nor descend from them."""
    known_pids = {child.pid for child in known} | {os.getpid()}
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if environment.get("TRAVEL_VAR") != str(platform.var) or MARK not in environment:
                continue
            if process.pid in known_pids or os.getsid(process.pid) in known_pids:
                continue
            started = start_mark(process.pid)
        except (psutil.Error, OSError):
            continue
        if started:
            found.append(Child(name=environment[MARK], pid=process.pid, started=started))
    return found


def log_of(platform: Platform, name: str) -> Path:
    """Return the child's log file."""
    return platform.log / f"{name}.log"


def last_lines(path: Path, count: int = 15, *, since: int = 0) -> list[str]:
    """Return the last `count` lines of a log, however long it is, from byte `since` on."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, size), size - 200 * count - 4096))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def _boot() -> str:
    global _boot_id
    if not _boot_id:
        _boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return _boot_id


_boot_id = ""
