"""Starts, adopts and watches the processes of the table.

Restarts, with back-off, a process that ends without being asked to.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from launcher import children, health, ports
from launcher.children import Child
from launcher.environment import service_environment, stand_in_environment
from launcher.infrastructure import kafka, postgres, valkey
from launcher.platform import Platform
from launcher.processes import BY_NAME, Process, connections_needed
from launcher.refusal import Refusal
from launcher.report import Reporter, State
from launcher.stopping import kill_group
from launcher.vault import Vault

BACK_OFF: Final = (0.5, 1, 2, 4, 8, 15, 30)  # seconds before the first, second, … restart in a row
STEADY_SECONDS: Final = 60.0  # after a run of this length a crash counts as the first again
CRASHES_TO_GIVE_UP: Final = 4  # in a row, while the platform starts
READY_SECONDS: Final = 150.0
ADOPTION_SECONDS: Final = 10.0
BAD_CONFIGURATION: Final = 78  # EX_CONFIG: a restart with the same environment would end in the same way


class Stopped(Exception):
    """The platform is being stopped while something waits for its start."""


@dataclass(slots=True)
class Watched:
    """A child and what the runner knows about it. `process` is None for an adopted child."""

    child: Child
    process: "subprocess.Popen[bytes] | None"
    crashes: int = 0
    log_from: int = 0  # the byte of the log at which its own lines begin
    ready: bool = False
    resting: bool = False  # True between its end and its restart
    gave_up: str = ""


@dataclass(slots=True)
class Runner:
    """The processes of one platform. `stopping` ends every wait and every restart."""

    platform: Platform
    vault: Vault
    reporter: Reporter
    external: bool = False
    durable: bool = True
    stopping: threading.Event = field(default_factory=threading.Event)
    starting: threading.Event = field(default_factory=threading.Event)  # set while the platform starts
    skip_back_off: threading.Event = field(default_factory=threading.Event)  # set: restart at once
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _environment: dict[str, str] = field(default_factory=dict)

    @property
    def urls(self) -> Mapping[str, str]:
        """The environment of the platform, with the URLs of the infrastructure."""
        if not self._environment:
            self._environment = service_environment("users", self.platform, self.vault, external=self.external)
        return self._environment

    def bring_up(self, process: Process) -> None:
        """Adopt the process if it runs, else start it; return when it is ready.

        Raises Refusal if it does not get ready.
        """
        with self._lock:
            known = self._watched.get(process.name)
        if known is not None and not known.gave_up:  # `up` was typed again: it runs, or is being restarted
            if not self._wait(process, READY_SECONDS):
                raise self._never_ready(process)
            return
        adopted = children.running(self.platform, process.name)
        if adopted:
            self.reporter.show(process.name, State.STARTING, "adopting")
            with self._lock:
                self._watched[process.name] = Watched(adopted, None)
            if self._wait(process, ADOPTION_SECONDS):
                return
            self.reporter.note(f"{process.name} ran but did not get ready: it is started again.")
            with self._lock:
                del self._watched[process.name]
            adopted.kill()
        self._spawn(process, restarts=adopted.restarts + 1 if adopted else 0)
        if not self._wait(process, READY_SECONDS):
            raise self._never_ready(process)

    def watch(self) -> None:
        """Check every child once. Restart, after its back-off, each child that ended without being asked to."""
        with self._lock:
            watched = list(self._watched.items())
        for name, entry in watched:
            if entry.process is not None:
                entry.process.poll()  # collects its exit code, so that it is no zombie
            if not entry.child.alive() and not (self.stopping.is_set() or entry.resting or entry.gave_up):
                self._ended(BY_NAME[name], entry)

    def run_helper(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Run a command to its end, with its output in var/log/<name>.log.

        Raises Refusal, with its last lines, if it fails.
        """
        child, process = children.spawn(self.platform, name, command, environment=environment)
        try:
            while (code := process.poll()) is None:
                if self.stopping.wait(0.1):
                    child.kill()
                    process.wait()
                    raise Stopped
        finally:
            children.forget(self.platform, name)
        if code:
            lines = children.last_lines(children.log_of(self.platform, name), 12)
            raise Refusal(
                "\n".join([f"`{' '.join(command[1:])}` failed with exit code {code}. Its last lines:", *lines]),
                f"./manage_all.py logs {name}",
            )

    def _never_ready(self, process: Process) -> Refusal:
        watched = self._watched[process.name]
        lines = self._lines(process, watched)
        why = f"does not stay up: {watched.gave_up}" if watched.gave_up else f"is not ready after {READY_SECONDS:.0f} s"
        self.reporter.show(process.name, State.FAILED, why)
        return Refusal(
            "\n".join([f"{process.name} {why}. The last lines of its log:", *lines]),
            f"./manage_all.py logs {process.name}",
        )

    def _lines(self, process: Process, watched: Watched) -> list[str]:
        return children.last_lines(children.log_of(self.platform, process.name), 12, since=watched.log_from)

    def _spawn(self, process: Process, *, restarts: int, crashes: int = 0) -> None:
        home = postgres.locate(self.platform) if process.name == "postgres" else None
        if home is not None:
            postgres.forget_foreign_lock(home)
        self.reporter.show(process.name, State.STARTING)
        if process.is_service:
            environment = service_environment(process.service, self.platform, self.vault, external=self.external)
        else:
            environment = stand_in_environment(process.name, self.platform, self.vault, external=self.external)
        log = children.log_of(self.platform, process.name)
        log_from = log.stat().st_size if log.exists() else 0
        log_from = 0 if log_from > children.LARGEST_LOG else log_from  # `spawn` renames a longer log
        child, handle = children.spawn(
            self.platform,
            process.name,
            self._command(process),
            environment=environment,
            restarts=restarts,
            cwd=home.data if home else None,
            user=home.as_user() if home else None,
        )
        with self._lock:
            self._watched[process.name] = Watched(child, handle, crashes=crashes, log_from=log_from)

    def _command(self, process: Process) -> list[str]:
        match process.name:
            case "postgres":
                return postgres.command(self.platform, connections=connections_needed(os.environ), durable=self.durable)
            case "valkey":
                return valkey.command(self.platform)
            case "kafka":
                return kafka.command(self.platform)
        filled = [
            part.format(port=self.platform.port(process.port or 0), run=self.platform.run)
            for part in process.command[1:]
        ]
        if process.name == "mail":
            filled += [str(self.platform.port(ports.SMTP)), str(self.platform.mail)]
        return [sys.executable, *filled]

    def _wait(self, process: Process, seconds: float) -> bool:
        """Wait until `process` is ready, through restarts. Return False after `seconds`, or when it is given up."""
        deadline = time.monotonic() + seconds
        pause = 0.1
        while time.monotonic() < deadline:
            if self.stopping.is_set():
                raise Stopped
            watched = self._watched.get(process.name)
            if watched is None or watched.gave_up:
                return False
            if watched.child.alive() and health.ready(process, self.platform, self.urls):
                watched.ready = True
                self.reporter.show(process.name, State.READY)
                return True
            self.stopping.wait(pause)
            pause = min(0.4, pause * 1.3)
        return False

    def _ended(self, process: Process, entry: Watched) -> None:
        code = entry.process.returncode if entry.process else None
        kill_group(entry.child)
        steady = entry.process is None or (entry.ready and _run_seconds(self.platform, entry.child) > STEADY_SECONDS)
        crashes = 1 if steady else entry.crashes + 1
        how = _how(code)
        self.reporter.crash(process.name, how, self._lines(process, entry))
        if code == BAD_CONFIGURATION or (self.starting.is_set() and crashes >= CRASHES_TO_GIVE_UP):
            entry.gave_up = f"{how}, {crashes} times in a row" if crashes > 1 else how
            self.reporter.show(process.name, State.FAILED, entry.gave_up)
            return
        entry.resting = True
        pause = BACK_OFF[min(crashes, len(BACK_OFF)) - 1]
        self.reporter.show(process.name, State.CRASHED, f"{how}; restart in {pause:g} s")
        threading.Thread(
            target=self._again, args=(process, entry.child.restarts + 1, crashes, pause), daemon=True
        ).start()

    def _again(self, process: Process, restarts: int, crashes: int, pause: float) -> None:
        self.skip_back_off.wait(pause)
        while True:
            if self.stopping.is_set():
                return
            try:
                self._spawn(process, restarts=restarts, crashes=crashes)
                break
            except (OSError, Refusal) as error:  # most likely a full disk, which may get free space
                self.reporter.show(process.name, State.CRASHED, f"cannot start: {error}")
                self.stopping.wait(BACK_OFF[-1] / 3)
        if not self.starting.is_set():  # else bring_up waits for it
            try:
                self._wait(process, READY_SECONDS)
            except Stopped:
                return


def _how(code: int | None) -> str:
    if code is None:
        return "ended"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _run_seconds(platform: Platform, child: Child) -> float:
    """Return how many seconds the child had run, as the age of its pid file tells."""
    try:
        return time.time() - (platform.run / f"{child.name}.pid.json").stat().st_mtime
    except OSError:
        return 0.0
