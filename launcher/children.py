"""Children of the launcher. Each runs in its own session, so that it outlives the launcher, and has a pid file.

A pid file holds the pid and the instant at which the process started, in ticks of the kernel: so a later process with
the same pid is recognised as another one. Every child also has TRAVEL_VAR and TRAVEL_PROCESS in its environment. They
identify a child whose pid file was never written because the launcher was killed.
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
from typing import IO, Final, TypedDict

import psutil

from launcher.platform import Platform

MARK: Final = "TRAVEL_PROCESS"
PRIVATE: Final = 0o077  # the umask of every child
LARGEST_LOG: Final = 20_000_000  # bytes; a longer log is renamed to .log.1 when its process starts


class UserArguments(TypedDict, total=False):
    """The arguments with which subprocess runs a program as another user."""

    user: str
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started. `started` distinguishes it from a later process with the same pid."""

    name: str
    pid: int
    started: str
    restarts: int = 0

    def alive(self) -> bool:
        """Return whether this process still runs. A zombie does not run."""
        return start_mark(self.pid) == self.started

    def age(self) -> float:
        """Return the seconds since it started, 0 if it has ended."""
        try:
            return max(0.0, time.time() - float(psutil.Process(self.pid).create_time()))
        except psutil.Error:
            return 0.0

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process only. Do nothing if it has ended."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and its process group."""
        if self.alive():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.send(signal.SIGKILL)


def marks(platform: Platform, name: str) -> dict[str, str]:
    """Return the variables that identify a process of this platform even without its pid file."""
    return {MARK: name, "TRAVEL_VAR": str(platform.var)}


def start_mark(pid: int) -> str | None:
    """Return a text that no later process with the same pid has. None if no process has that pid."""
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
    user: UserArguments | None = None,
) -> tuple[Child, "subprocess.Popen[bytes]"]:
    """Start a child in its own session, append its output to var/log/<name>.log, and write its pid file.

    Only its own user may read the files that it makes.
    """
    path = log_of(platform, name)
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    (platform.run / f"{name}.heartbeat").unlink(missing_ok=True)
    with open_log(path) as log:
        process = subprocess.Popen(
            command,
            cwd=cwd or platform.root,
            env={**environment, **marks(platform, name)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=PRIVATE,
            **(user or {}),
        )
    child = Child(name=name, pid=process.pid, started=start_mark(process.pid) or "gone", restarts=restarts)
    try:
        write_record(platform, child)
    except OSError:
        process.kill()  # without its pid file it would be lost
        process.wait()
        raise
    return child, process


def write_record(platform: Platform, child: Child) -> None:
    """Write the child's pid file in one step, so that no reader sees half of it."""
    path = platform.run / f"{child.name}.pid.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(child)))
    draft.replace(path)


def recorded(platform: Platform, name: str) -> Child | None:
    """Return the child that the pid file names, whether it runs or not. None if no pid file can be read."""
    try:
        return Child(**json.loads((platform.run / f"{name}.pid.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(platform: Platform, name: str) -> Child | None:
    """Return the child of that name if it runs."""
    child = recorded(platform, name)
    return child if child and child.alive() else None


def forget(platform: Platform, name: str) -> None:
    """Remove the pid file and the heartbeat of a child that was stopped."""
    (platform.run / f"{name}.pid.json").unlink(missing_ok=True)
    (platform.run / f"{name}.heartbeat").unlink(missing_ok=True)


def strays(platform: Platform, known: Iterable[Child] = ()) -> list[Child]:
    """Return the running processes with this platform's mark, except `known` children and processes they started."""
    known_pids = {child.pid for child in known} | {os.getpid()}
    lost = []
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
            lost.append(Child(name=environment[MARK], pid=process.pid, started=started))
    return lost


def log_of(platform: Platform, name: str) -> Path:
    """Return the child's log file."""
    return platform.log / f"{name}.log"


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to it. Only its owner may read it."""
    log = open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")  # noqa: SIM115 - the caller closes it
    os.fchmod(log.fileno(), 0o600)  # an older version may have made it
    return log


def last_lines(path: Path, count: int = 15, *, since: int = 0) -> list[str]:
    """Return the last `count` lines of a log that were written after byte `since`. Reads only the end of the file."""
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
