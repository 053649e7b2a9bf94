"""Starts, adopts and watches the processes of the table; restarts with back-off what ends unasked."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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

BACK_OFF: Final = (0.5, 1, 2, 4, 8, 15, 30)  # seconds before the nth restart in a row
STEADY_SECONDS: Final = 60.0  # a process that ran this long begins again at the shortest back-off
CRASHES_TO_GIVE_UP: Final = 4  # in a row, while the platform starts
READY_SECONDS: Final = 150.0
ADOPTION_SECONDS: Final = 10.0
BAD_CONFIGURATION: Final = 78  # EX_CONFIG: the same environment would end it again


class Stopped(Exception):
    """The platform is being stopped while something waits for it to start."""


@dataclass(slots=True)
class Watched:
    """A child and what the runner knows of it; `process` is None for an adopted one."""

    child: Child
    process: "subprocess.Popen[bytes] | None"
    crashes: int = 0
    log_from: int = 0  # where its own lines begin in the log
    ready: bool = False
    resting: bool = False  # between its end and its restart
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
    hurry: threading.Event = field(default_factory=threading.Event)  # set: restart now what waits in its back-off
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _environment: dict[str, str] = field(default_factory=dict)

    @property
    def urls(self) -> Mapping[str, str]:
        """The environment of the platform, the infrastructure's URLs among it."""
        if not self._environment:
            self._environment = service_environment("users", self.platform, self.vault, external=self.external)
        return self._environment

    def bring_up(self, process: Process) -> None:
        """Return once `process` is ready: adopt the one that runs, or start it. Raises Refusal where it never gets ready."""
        with self._lock:
            own = self._watched.get(process.name)
        if own is not None and not own.gave_up:  # a second round: it runs or restarts already
            if not self._wait(process, READY_SECONDS):
                raise self._never_ready(process)
            return
        adopted = children.running(self.platform, process.name)
        if adopted:
            self.reporter.line(process.name, State.STARTING, "adopting")
            with self._lock:
                self._watched[process.name] = Watched(adopted, None)
            if self._wait(process, ADOPTION_SECONDS):
                return
            self.reporter.note(f"{process.name} ran but was not ready: it is started anew.")
            with self._lock:
                del self._watched[process.name]
            adopted.kill()
        self._spawn(process, restarts=adopted.restarts + 1 if adopted else 0)
        if not self._wait(process, READY_SECONDS):
            raise self._never_ready(process)

    def watch(self) -> None:
        """Look once at every child; restart, after its back-off, each that ended unasked."""
        with self._lock:
            watched = list(self._watched.items())
        for name, one in watched:
            if one.process is not None:
                one.process.poll()  # reaps it
            if not one.child.alive() and not (self.stopping.is_set() or one.resting or one.gave_up):
                self._ended(BY_NAME[name], one)

    def run_helper(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Run a command to its end, its output in var/log/<name>.log. Raises Refusal with its last lines where it fails."""
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
            raise Refusal("\n".join([f"`{' '.join(command[1:])}` failed:", *lines]), f"./manage_all.py logs {name}")

    def _never_ready(self, process: Process) -> Refusal:
        watched = self._watched[process.name]
        lines = self._lines(process, watched)
        why = f"ended: {watched.gave_up}" if watched.gave_up else f"is not ready after {READY_SECONDS:.0f} s"
        self.reporter.line(process.name, State.FAILED, why)
        return Refusal("\n".join([f"{process.name} {why}.", *lines]), f"./manage_all.py logs {process.name}")

    def _lines(self, process: Process, watched: Watched) -> list[str]:
        return children.last_lines(children.log_of(self.platform, process.name), 12, since=watched.log_from)

    def _spawn(self, process: Process, *, restarts: int, crashes: int = 0) -> None:
        command, extra = self._command(process)
        self.reporter.line(process.name, State.STARTING)
        if process.is_service:
            environment = service_environment(process.service, self.platform, self.vault, external=self.external)
        else:
            environment = stand_in_environment(self.platform, self.vault, external=self.external)
        log = children.log_of(self.platform, process.name)
        log_from = log.stat().st_size if log.exists() else 0
        log_from = 0 if log_from > children.LARGEST_LOG else log_from  # it is about to be set aside
        child, handle = children.spawn(
            self.platform, process.name, command, environment=environment, restarts=restarts, **extra
        )
        with self._lock:
            self._watched[process.name] = Watched(child, handle, crashes=crashes, log_from=log_from)

    def _command(self, process: Process) -> tuple[list[str], dict[str, Any]]:
        match process.name:
            case "postgres":
                home = postgres.locate(self.platform)
                postgres.forget_foreign_lock(home)
                line = postgres.command(self.platform, connections=connections_needed(), durable=self.durable)
                return line, {"user": home.as_user(), "cwd": home.data}
            case "valkey":
                return valkey.command(self.platform), {}
            case "kafka":
                return kafka.command(self.platform), {}
        filled = [
            part.format(port=self.platform.port(process.port or 0), run=self.platform.run)
            for part in process.command[1:]
        ]
        if process.name == "mail":
            filled += [str(self.platform.port(ports.SMTP)), str(self.platform.mail)]
        return [sys.executable, *filled], {}

    def _wait(self, process: Process, seconds: float) -> bool:
        """Wait until `process` is ready, whatever child plays it meanwhile; False after `seconds` or when it is given up."""
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
                self.reporter.line(process.name, State.READY)
                return True
            self.stopping.wait(pause)
            pause = min(0.4, pause * 1.3)
        return False

    def _ended(self, process: Process, one: Watched) -> None:
        code = one.process.returncode if one.process else None
        kill_group(one.child)
        steady = one.process is None or (one.ready and _log_age(self.platform, one.child) > STEADY_SECONDS)
        crashes = 1 if steady else one.crashes + 1
        how = _how(code)
        self.reporter.crash(process.name, how, self._lines(process, one))
        if code == BAD_CONFIGURATION or (self.starting.is_set() and crashes >= CRASHES_TO_GIVE_UP):
            one.gave_up = f"{how}, {crashes} times in a row" if crashes > 1 else how
            self.reporter.line(process.name, State.FAILED, one.gave_up)
            return
        one.resting = True
        pause = BACK_OFF[min(crashes, len(BACK_OFF)) - 1]
        self.reporter.line(process.name, State.CRASHED, f"{how}; again in {pause:g} s")
        threading.Thread(
            target=self._again, args=(process, one.child.restarts + 1, crashes, pause), daemon=True
        ).start()

    def _again(self, process: Process, restarts: int, crashes: int, pause: float) -> None:
        self.hurry.wait(pause)
        while True:
            if self.stopping.is_set():
                return
            try:
                self._spawn(process, restarts=restarts, crashes=crashes)
                break
            except (OSError, Refusal) as error:  # a full disk, most likely: it may pass
                self.reporter.line(process.name, State.CRASHED, f"cannot be started: {error}")
                self.stopping.wait(BACK_OFF[-1] / 3)
        if not self.starting.is_set():  # else bring_up waits for it already
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


def _log_age(platform: Platform, child: Child) -> float:
    """Return for how long the child had run, by its pid file's age."""
    try:
        return time.time() - (platform.run / f"{child.name}.pid.json").stat().st_mtime
    except OSError:
        return 0.0
