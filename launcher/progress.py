"""Shows a platform coming up: a live table on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from launcher.report import Crash, Line, Report, State

LOOKS: Final = {
    State.WAITING: ("·", "dim"),
    State.STARTING: ("…", "yellow"),
    State.READY: ("✓", "green"),
    State.SKIPPED: ("✓", "dim green"),
    State.CRASHED: ("!", "red"),
    State.FAILED: ("✗", "bold red"),
    State.STOPPED: ("-", "dim"),
}


class Progress:
    """Shows reports as they change; each line, crash and note once where there is no terminal."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live: Live | None = None
        self._quiet = quiet
        self._said: set[tuple[str, str, str]] = set()
        self._crash = 0
        self._notes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, report: Report, *, live: bool = True) -> None:
        """Show what is new in `report`."""
        if self._quiet:
            return
        if live and self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, refresh_per_second=5, transient=True)
                self._live.start()
            self._live.update(table(report))
        elif live:
            for line in (*report.steps, *report.processes):
                self._plain(line)
        for crash in report.crashes:
            if crash.number > self._crash:
                self._crash = crash.number
                self._console.print(panel(crash))
        for note in report.notes[self._notes :]:
            self._console.print(note, markup=False, highlight=False)
        self._notes = len(report.notes)

    def _plain(self, line: Line) -> None:
        if line.state not in (State.READY, State.SKIPPED, State.FAILED):
            return
        key = (line.name, line.state, line.detail if line.state is not State.READY else "")
        if key not in self._said:
            self._said.add(key)
            detail = f" ({line.detail})" if line.detail else ""
            print(f"{LOOKS[line.state][0]} {line.name}{detail} {line.seconds:.1f} s", flush=True, file=sys.stdout)


def table(report: Report) -> Group:
    """Return steps and processes side by side, as far as they are."""
    return Group(_columns(report.steps, 2), Text(), _columns(report.processes, 3))


def panel(crash: Crash) -> Panel:
    """Return a crash with the last lines of its log."""
    body = Text("\n".join(crash.lines) or "(no output)")
    return Panel(body, title=f"{crash.name}: {crash.how}", border_style="red", title_align="left")


def _columns(lines: list[Line], width: int) -> Table:
    grid = Table.grid(padding=(0, 3))
    height = -(-len(lines) // width) if lines else 0
    for row in range(height):
        grid.add_row(*(_cell(lines[index]) for index in range(row, len(lines), height)))
    return grid


def _cell(line: Line) -> Text:
    mark, style = LOOKS[line.state]
    text = Text.assemble((f"{mark} ", style), (line.name, "" if line.state is not State.WAITING else "dim"))
    if line.detail and line.state is not State.READY:
        text.append(f" {line.detail}", style="dim")
    if line.seconds:
        text.append(f" {line.seconds:.1f}s", style="dim")
    return text
