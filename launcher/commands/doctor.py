"""`doctor`: run checks, the cheapest first, and print what is wrong and what to type."""

import os
import platform as machine
import shutil
import subprocess
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Final

import psutil

from launcher import children, event_state, ports
from launcher.bringup import Extent
from launcher.commands import doctor_events
from launcher.commands.doctor_topics import topics
from launcher.commands.status import statuses
from launcher.commands.up import LEAST_FREE
from launcher.infrastructure import kafka, kafka_jars, postgres
from launcher.platform import Platform
from launcher.processes import TABLE
from launcher.refusal import Refusal
from launcher.report import Phase, Report, is_external

LEAST_MEMORY: Final = 3_000_000_000  # bytes: the platform with its JVM
Finding = tuple[str, str]  # what is wrong, and what to type or ""


def doctor(platform: Platform) -> int:
    """Print every check and what it finds. Return 0 if nothing is wrong."""
    count = 0
    for name, check in CHECKS.items():
        try:
            findings = list(check(platform))
        except Refusal as refusal:
            findings = [(refusal.message, refusal.hint)]
        print(f"{'✗' if findings else '✓'} {name}")
        for wrong, remedy in findings:
            count += 1
            print(f"    {wrong}" + (f"\n    Type: {remedy}" if remedy else ""))
    print(f"\n{'Nothing is wrong.' if not count else f'{count} problem(s). See above what to type.'}")
    return 1 if count else 0


def _system(platform: Platform) -> Iterator[Finding]:
    if sys.platform not in ("linux", "darwin"):
        yield f"There are no embedded servers for the system {sys.platform}.", "./manage_all.py up --infra compose"
    if machine.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
        yield (
            f"There are no embedded servers for the processor {machine.machine()}.",
            "./manage_all.py up --infra compose",
        )
    memory = psutil.virtual_memory().available
    running = any(children.running(platform, process.name) for process in TABLE)
    if memory < LEAST_MEMORY and not running:
        yield (
            f"Only {memory / 1e9:.1f} GB of memory are free. The platform needs about {LEAST_MEMORY / 1e9:.0f} GB.",
            "",
        )


def _disk(platform: Platform) -> Iterator[Finding]:
    existing = next(folder for folder in (platform.var, *platform.var.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        yield (
            f"The disk of {existing} has {free // 1_000_000} MB free. `up` needs {LEAST_FREE // 1_000_000} MB.",
            "TRAVEL_VAR=/another/disk/travel ./manage_all.py up",
        )
    if platform.var.exists() and not os.access(platform.var, os.W_OK):
        yield f"You may not write to {platform.var}.", "TRAVEL_VAR=~/travel ./manage_all.py up"


def _packages(platform: Platform) -> Iterator[Finding]:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False, cwd=platform.root
    )
    if done.returncode:
        yield done.stdout.strip().splitlines()[0], f"rm -rf {platform.root / '.venv'} && ./manage_all.py doctor"


def _time_zones(platform: Platform) -> Iterator[Finding]:
    if zoneinfo.TZPATH:
        yield f"Time zones come from {zoneinfo.TZPATH[0]}, which may be old.", "./manage_all.py doctor"


def _java(platform: Platform) -> Iterator[Finding]:
    program = kafka.java_home() / "bin" / "java"
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"{program} cannot run: {done.stderr.strip()[:200]}", "unset JAVA_HOME"
    if not kafka_jars.fetched():
        yield (
            "Kafka's jars are not fetched yet. The first `up` fetches them.",
            f"{sys.executable} -m launcher.infrastructure.kafka_jars",
        )


def _postgres(platform: Platform) -> Iterator[Finding]:
    if not platform.var.exists():
        return
    home = postgres.locate(platform)
    done = subprocess.run(
        [home.binaries / "postgres", "--version"], capture_output=True, text=True, check=False, **home.as_user()
    )
    if done.returncode:
        yield (
            f"PostgreSQL's program cannot run: {(done.stderr or done.stdout).strip()[:200]}",
            "rm -rf .venv && ./manage_all.py up",
        )


def _ports(platform: Platform) -> Iterator[Finding]:
    for process in Extent().processes():
        if process.port is None or children.running(platform, process.name):
            continue
        port = platform.port(process.port)
        if not ports.free(port):
            yield (
                f"Port {port}, which {process.name} needs, is used by {ports.describe_holder(port)}.",
                f"PORT_OFFSET={platform.offset + 100} TRAVEL_VAR=var-2 ./manage_all.py up",
            )


def _processes(platform: Platform) -> Iterator[Finding]:
    if not platform.run.is_dir():
        return
    report = Report.read(platform)
    if not any(children.running(platform, process.name) for process in TABLE):
        return
    if report is None or not report.alive():
        yield "The platform runs without its supervisor, so no process is restarted.", "./manage_all.py up --detach"
    elif report.phase is Phase.FAILED:
        yield report.problem, report.hint
    for status in statuses(platform):
        if status.state != "ready":
            yield f"{status.name} is {status.state}.", f"./manage_all.py logs {status.name}"
        elif status.lag is not None and status.lag.seconds > 30:
            yield (
                f"{status.name} has not delivered an event for {status.lag.seconds:.0f} s.",
                f"./manage_all.py logs {status.name}",
            )


def _events(platform: Platform) -> Iterator[Finding]:
    if children.running(platform, "postgres") is None and not is_external(platform):
        return
    for service, state in event_state.read(platform).items():
        yield from doctor_events.findings(service, state)


CHECKS: Final[dict[str, Callable[[Platform], Iterator[Finding]]]] = {
    "system and memory": _system,
    "disk": _disk,
    "packages": _packages,
    f"time zones (tzdata {version('tzdata')}, the locked package)": _time_zones,
    "Java and Kafka": _java,
    "PostgreSQL": _postgres,
    "ports": _ports,
    "processes": _processes,
    "topics": topics,
    "events, mails and SMS": _events,
}
