"""`status`: ask every process now whether it is ready. No supervisor need run for that."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from launcher import children, event_state, health
from launcher.bringup import Extent
from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import Kind, Process
from launcher.report import Phase, Report, is_external
from launcher.vault import Vault

COLOURS: Final = {"ready": "green", "starting": "yellow", "unready": "yellow", "crashed": "red", "stopped": "dim"}


@dataclass(frozen=True, slots=True)
class Lag:
    """The events that a relay has not delivered yet: how many, and the age of the oldest in seconds."""

    events: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Status:
    """One process. `state` is ready, starting, unready, crashed (it waits for its restart) or stopped.

    A process without a port writes a heartbeat: `beat_seconds` is its age.
    """

    name: str
    pid: int | None
    state: str
    url: str | None
    restarts: int
    lag: Lag | None = None
    beat_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `status --json` prints about it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "pid": self.pid,
            "state": self.state,
            "url": self.url,
            "restarts": self.restarts,
        }
        if self.lag is not None:
            shown["lag"] = {"events": self.lag.events, "seconds": round(self.lag.seconds, 3)}
        if self.beat_seconds is not None:
            shown["beat_seconds"] = round(self.beat_seconds, 3)
        return shown


def statuses(platform: Platform) -> list[Status]:
    """Ask all processes of the table together, each over its own interface."""
    report = Report.read(platform)
    supervised = report if report and report.alive() else None
    external = is_external(platform)
    table = Extent(embedded=not external).processes()
    environment = service_environment("users", platform, Vault(platform), external=external)
    urls = event_state.database_urls(platform, external=external)
    with ThreadPoolExecutor(len(table)) as pool:
        return list(pool.map(lambda process: _status(process, platform, environment, urls, supervised), table))


def print_status(platform: Platform, *, as_json: bool) -> int:
    """Print the status of every process, and return 0 if all are ready, else 3."""
    shown, events = _ask(platform) if platform.run.is_dir() else ([], {})
    if as_json:
        processes = [status.as_json() for status in shown]
        waiting = {service: state.as_json() for service, state in events.items()}
        print(json.dumps({"phase": phase(platform, shown), "processes": processes, "events": waiting}, indent=1))
    else:
        _print_table(platform, shown, events)
    return 0 if shown and all(status.state == "ready" for status in shown) else 3


def _ask(platform: Platform) -> tuple[list[Status], event_state.States]:
    """Ask the processes, and their databases and Kafka at the same time."""
    with ThreadPoolExecutor(1) as pool:
        events = pool.submit(event_state.read, platform)
        return statuses(platform), events.result()


def phase(platform: Platform, shown: list[Status]) -> str:
    """Return the state of the whole platform: as its supervisor reports it, else `unsupervised` or `stopped`."""
    report = Report.read(platform)
    if report and report.alive():
        return str(report.phase)
    return "unsupervised" if any(status.pid for status in shown) else str(Phase.STOPPED)


def _status(
    process: Process,
    platform: Platform,
    environment: dict[str, str],
    urls: dict[str, str],
    supervised: Report | None,
) -> Status:
    child = children.recorded(platform, process.name)
    alive = child is not None and child.alive()
    if alive and health.ready(process, platform, environment):
        state = "ready"
    elif alive:
        state = "starting" if child and child.age() < 30 else "unready"
    else:
        rows = supervised.processes if supervised else []
        state = next((str(row.state) for row in rows if row.name == process.name), "stopped")
        state = {"ready": "crashed", "failed": "crashed", "waiting": "stopped"}.get(state, state)
    return Status(
        name=process.name,
        pid=child.pid if child and alive else None,
        state=state,
        url=process.url.format(port=platform.port(process.port or 0)) if process.url else None,
        restarts=child.restarts if child else 0,
        lag=_lag(urls[process.service]) if process.kind is Kind.RELAY else None,
        beat_seconds=health.beat_seconds(process, platform) if alive else None,
    )


def _lag(url: str) -> Lag | None:
    found = event_state.backlog_of(url)
    return Lag(found.outbox.waiting, found.outbox.oldest_seconds) if found and found.outbox else None


def _print_table(platform: Platform, shown: list[Status], events: event_state.States) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=160)
    if not any(status.pid for status in shown):
        console.print(
            f"The platform in {platform.var} is stopped.\nType: ./manage_all.py up", soft_wrap=True, highlight=False
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "state", "pid", "restarts", "last beat", "url"):
        table.add_column(heading)
    for status in shown:
        colour = COLOURS.get(status.state, "red")
        state = f"[{colour}]{status.state}[/]"
        beat = "" if status.beat_seconds is None else f"{status.beat_seconds:.0f} s"
        pid, restarts = str(status.pid or ""), str(status.restarts or "")
        table.add_row(status.name, state, pid, restarts, beat, status.url or "")
    console.print(table)
    _print_events(console, events)
    if phase(platform, shown) == "unsupervised":
        console.print("\nNo supervisor runs, so no process is restarted.\nType: ./manage_all.py up --detach")
    elif unready := [status.name for status in shown if status.state != "ready"]:
        console.print(f"\nNot ready: {', '.join(unready)}.\nType: ./manage_all.py logs {unready[0]}", soft_wrap=True)


def _print_events(console: Console, events: event_state.States) -> None:
    """Print what waits in each service: numbers only. `doctor` says what to do about them."""
    table = Table(box=None, pad_edge=False, header_style="bold", title="\nevents", title_justify="left")
    columns = ("to send", "set aside", "to read", "dead", "parked", "braked", "skipped", "unsent mail", "unsent SMS")
    for heading in ("service", *columns):
        table.add_column(heading, justify="left" if heading == "service" else "right")
    for service, state in events.items():
        table.add_row(service, *state.cells())
    if events:
        console.print(table)
