"""Shows how a platform comes up: a live table on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from launcher.report import Crash, Report, Row, State

SYMBOLS: Final = {
    State.WAITING: ("·", "dim"),
    State.STARTING: ("…", "yellow"),
    State.READY: ("✓", "green"),
    State.SKIPPED: ("✓", "dim green"),
    State.CRASHED: ("!", "red"),
    State.FAILED: ("✗", "bold red"),
    State.STOPPED: ("-", "dim"),
}


class Progress:
    """Shows reports as they change. Without a terminal it prints each finished row, crash and note once."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live: Live | None = None
        self._quiet = quiet
        self._printed: set[tuple[str, str, str]] = set()
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
            for row in (*report.steps, *report.processes):
                self._print(row)
        for crash in report.crashes:
            if crash.number > self._crash:
                self._crash = crash.number
                self._console.print(panel(crash))
        for note in report.notes[self._notes :]:
            self._console.print(note, markup=False, highlight=False)
        self._notes = len(report.notes)

    def _print(self, row: Row) -> None:
        if row.state not in (State.READY, State.SKIPPED, State.FAILED):
            return
        key = (row.name, row.state, row.detail if row.state is not State.READY else "")
        if key not in self._printed:
            self._printed.add(key)
            detail = f" ({row.detail})" if row.detail else ""
            print(f"{SYMBOLS[row.state][0]} {row.name}{detail} {row.seconds:.1f} s", flush=True)


def table(report: Report) -> Group:
    """Return the steps and the processes in columns, each with its state."""
    return Group(_columns(report.steps, 2), Text(), _columns(report.processes, 3))


def panel(crash: Crash) -> Panel:
    """Return a crash with the last lines of the process's log."""
    body = Text("\n".join(crash.lines) or "(no output)")
    return Panel(body, title=f"{crash.name}: {crash.how}", border_style="red", title_align="left")


def _columns(rows: list[Row], width: int) -> Table:
    grid = Table.grid(padding=(0, 3))
    height = -(-len(rows) // width) if rows else 0
    for first in range(height):
        grid.add_row(*(_cell(rows[index]) for index in range(first, len(rows), height)))
    return grid


def _cell(row: Row) -> Text:
    symbol, style = SYMBOLS[row.state]
    text = Text.assemble((f"{symbol} ", style), (row.name, "" if row.state is not State.WAITING else "dim"))
    if row.detail and row.state is not State.READY:
        text.append(f" {row.detail}", style="dim")
    if row.seconds:
        text.append(f" {row.seconds:.1f} s", style="dim")
    return text
