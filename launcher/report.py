"""The supervisor's report, in var/run/report.json. `up` reads it while it waits, and so does `status`."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from launcher.children import start_mark
from launcher.platform import Platform


class Phase(StrEnum):
    """The state of the platform as a whole."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class State(StrEnum):
    """The state of one step or process."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    SKIPPED = "skipped"
    CRASHED = "crashed"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(slots=True)
class Row:
    """One row of the progress table: a step of the set-up, or a process."""

    name: str
    state: State = State.WAITING
    detail: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Crash:
    """A process that ended without being asked to, with the last lines of its log."""

    number: int
    name: str
    how: str
    lines: list[str]


@dataclass(slots=True)
class Report:
    """The whole report. `supervisor` (a pid) and `started` identify the supervisor that wrote it."""

    supervisor: int
    started: str
    phase: Phase = Phase.STARTING
    problem: str = ""
    hint: str = ""
    notes: list[str] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    processes: list[Row] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)

    @classmethod
    def read(cls, platform: Platform) -> Self | None:
        """Return the last report, also of a supervisor that has ended. None if there is no readable report."""
        try:
            raw: dict[str, Any] = json.loads((platform.run / "report.json").read_text())
            raw["phase"] = Phase(raw["phase"])
            for key in ("steps", "processes"):
                raw[key] = [Row(**{**row, "state": State(row["state"])}) for row in raw[key]]
            raw["crashes"] = [Crash(**crash) for crash in raw["crashes"]]
            return cls(**raw)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def alive(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return start_mark(self.supervisor) == self.started


def is_external(platform: Platform) -> bool:
    """Return whether the platform that runs uses `--infra external` or `compose`."""
    report = Report.read(platform)
    if report is None or not report.alive() or not report.processes:
        return False
    return all(row.name != "postgres" for row in report.processes)


class Reporter:
    """Keeps the supervisor's report and writes each change to its file. Many threads may call it."""

    def __init__(self, platform: Platform) -> None:
        self._path = platform.run / "report.json"
        self._lock = threading.Lock()
        self._report = Report(supervisor=os.getpid(), started=start_mark(os.getpid()) or "")
        self._begun: dict[str, float] = {}

    def expect(self, *, steps: list[str], processes: list[str]) -> None:
        """Name every row that there will be, in the order in which they are shown."""
        with self._lock:
            self._report.steps = [Row(name) for name in steps]
            self._report.processes = [Row(name) for name in processes]
            self._write()

    def phase(self, phase: Phase, problem: str = "", hint: str = "") -> None:
        """Set the state of the platform and, if it failed, the problem and what to type."""
        with self._lock:
            self._report.phase, self._report.problem, self._report.hint = phase, problem, hint
            self._write()

    def show(self, name: str, state: State, detail: str = "") -> None:
        """Set the state of the step or process `name`. Its seconds count from its first STARTING."""
        with self._lock:
            for row in (*self._report.steps, *self._report.processes):
                if row.name == name:
                    now = time.monotonic()
                    if state is State.STARTING:
                        self._begun.setdefault(name, now)
                    row.state, row.detail = state, detail
                    row.seconds = round(now - self._begun.get(name, now), 1)
                    if state is not State.STARTING:
                        self._begun.pop(name, None)
            self._write()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show the step as running, then as done, or as failed if the body raises."""
        self.show(name, State.STARTING)
        try:
            yield
        except BaseException as error:
            self.show(name, State.FAILED, str(error).splitlines()[0][:100] if str(error) else type(error).__name__)
            raise
        with self._lock:
            shown = next((row.state for row in self._report.steps if row.name == name), State.READY)
        if shown is State.STARTING:
            self.show(name, State.READY)

    def crash(self, name: str, how: str, lines: list[str]) -> None:
        """Add a process that ended without being asked to. The last twenty crashes are kept."""
        with self._lock:
            number = self._report.crashes[-1].number + 1 if self._report.crashes else 1
            self._report.crashes = [*self._report.crashes[-19:], Crash(number, name, how, lines)]
            self._write()

    def note(self, text: str) -> None:
        """Add a message that `up` prints once."""
        with self._lock:
            self._report.notes.append(text)
            self._write()

    def _write(self) -> None:
        draft = self._path.with_suffix(".new")
        try:
            draft.write_text(json.dumps(asdict(self._report)))
            draft.replace(self._path)
        except OSError:
            pass  # a full disk must not end the supervisor, because then no process would be restarted
