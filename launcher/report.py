"""What the supervisor says of itself, in var/run/report.json: read by `up` while it waits, and by `status`."""

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
    """Where the platform as a whole is."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class State(StrEnum):
    """Where one step or process is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    SKIPPED = "skipped"
    CRASHED = "crashed"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(slots=True)
class Line:
    """One line of the progress table: a step of the set-up or a process."""

    name: str
    state: State = State.WAITING
    detail: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Crash:
    """A process that ended unasked, with the last lines it wrote."""

    number: int
    name: str
    how: str
    lines: list[str]


@dataclass(slots=True)
class Report:
    """The whole of it. `supervisor` with `started` tells whether who wrote it still runs."""

    supervisor: int
    started: str
    phase: Phase = Phase.STARTING
    problem: str = ""
    hint: str = ""
    notes: list[str] = field(default_factory=list)
    steps: list[Line] = field(default_factory=list)
    processes: list[Line] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)

    @classmethod
    def read(cls, platform: Platform) -> Self | None:
        """Return the last report, whoever wrote it; None where there is none."""
        try:
            raw: dict[str, Any] = json.loads((platform.run / "report.json").read_text())
            raw["phase"] = Phase(raw["phase"])
            for key in ("steps", "processes"):
                raw[key] = [Line(**{**line, "state": State(line["state"])}) for line in raw[key]]
            raw["crashes"] = [Crash(**crash) for crash in raw["crashes"]]
            return cls(**raw)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def alive(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return start_mark(self.supervisor) == self.started


class Reporter:
    """Keeps the supervisor's report and its file in step; safe to call from many threads."""

    def __init__(self, platform: Platform) -> None:
        self._path = platform.run / "report.json"
        self._lock = threading.Lock()
        self._report = Report(supervisor=os.getpid(), started=start_mark(os.getpid()) or "")
        self._begun: dict[str, float] = {}

    def expect(self, *, steps: list[str], processes: list[str]) -> None:
        """Name every line there will be, in the order to show."""
        with self._lock:
            self._report.steps = [Line(name) for name in steps]
            self._report.processes = [Line(name) for name in processes]
            self._write()

    def phase(self, phase: Phase, problem: str = "", hint: str = "") -> None:
        """Say where the platform is, and what is wrong where it failed."""
        with self._lock:
            self._report.phase, self._report.problem, self._report.hint = phase, problem, hint
            self._write()

    def line(self, name: str, state: State, detail: str = "") -> None:
        """Say where the step or process `name` is; seconds count from its first STARTING."""
        with self._lock:
            for line in (*self._report.steps, *self._report.processes):
                if line.name == name:
                    now = time.monotonic()
                    if state is State.STARTING:
                        self._begun.setdefault(name, now)
                    line.state, line.detail = state, detail
                    line.seconds = round(now - self._begun.get(name, now), 1)
                    if state is not State.STARTING:
                        self._begun.pop(name, None)
            self._write()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show the step as running, then as done, or as failed where the body raises."""
        self.line(name, State.STARTING)
        try:
            yield
        except BaseException as error:
            self.line(name, State.FAILED, str(error).splitlines()[0][:100] if str(error) else type(error).__name__)
            raise
        with self._lock:
            shown = next((line.state for line in self._report.steps if line.name == name), State.READY)
        if shown is State.STARTING:
            self.line(name, State.READY)

    def crash(self, name: str, how: str, lines: list[str]) -> None:
        """Say that a process ended unasked; the last twenty are kept."""
        with self._lock:
            number = self._report.crashes[-1].number + 1 if self._report.crashes else 1
            self._report.crashes = [*self._report.crashes[-19:], Crash(number, name, how, lines)]
            self._write()

    def note(self, text: str) -> None:
        """Say something once to whoever watches."""
        with self._lock:
            self._report.notes.append(text)
            self._write()

    def _write(self) -> None:
        draft = self._path.with_suffix(".new")
        try:
            draft.write_text(json.dumps(asdict(self._report)))
            draft.replace(self._path)
        except OSError:
            pass  # a full disk must not end the supervisor: it would take nobody down, but restart nobody either
