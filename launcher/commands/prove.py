"""`test`: every suite on infrastructure of its own, journeys on a platform of their own; both end with the run, however it ends.

The supervisors watch this process and stop everything when it is gone; what a killed run still left is reaped by the next.
"""

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree  # reads what pytest wrote a moment ago, nobody else's
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launcher import children, ports, templates
from launcher.commands.down import down
from launcher.commands.manage import service_named
from launcher.commands.scripts import public_addresses
from launcher.commands.up import follow, said, start_supervisor, stop_supervisor
from launcher.environment import FOREIGN, all_services
from launcher.platform import Platform
from launcher.processes import SERVICES, TABLE, WITH_DATABASE, package
from launcher.refusal import Refusal
from launcher.vault import Vault

OWN: Final = ("shared", "launcher", "demo", "payment_sandbox", "tests")  # suites that no service owns
ADDRESSES: Final = ("PUBLIC_URL", "MEDIA_PUBLIC_URL", "PAYMENT_WEBHOOK_URL")
PROOFS: Final = "concurrency"  # the suite in bookings_service/tests/concurrency: reduced, or whole with PROOFS=whole
FAULTS: Final = "tests/faults"  # processes killed at named places: of the suite `tests`, reduced or whole as those
OFFSETS: Final = range(10_000, 24_000, 100)  # below the ports that the system hands out by itself


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one suite came to. A skipped test counts as failed: it proved nothing."""

    suite: str
    passed: int
    failed: int


def test(platform: Platform, suite: str | None, *, proofs: bool) -> int:
    """Run the suite named (a service, concurrency, shared, launcher, demo, payment_sandbox, tests, platform), or all; 0 where all passed.

    `proofs` runs the proofs of concurrency and of crashes alone, at their whole size.

    The last line printed is `N passed, N failed`. Raises Refusal where a run is under way already, or the name is unknown.
    """
    services, folders, journeys = ([PROOFS], [FAULTS], False) if proofs else chosen(suite)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in ADDRESSES:  # a shell's own are of another platform: journeys would knock there
        os.environ.pop(name, None)
    outcomes: list[Outcome] = []
    with _state_folder(platform) as state:
        block = _free_block()
        infrastructure = Platform(var=state / "infrastructure", offset=block)
        with _running(infrastructure, "--infrastructure-only", "--for-tests"):
            environment = _environment(infrastructure)
            if proofs:
                environment["PROOFS"] = "whole"
            owners = dict.fromkeys("bookings" if name == PROOFS else name for name in services)
            made = templates.make(infrastructure, [name for name in owners if name in WITH_DATABASE], environment)
            environment |= {f"{name.upper()}_TEST_DATABASE_TEMPLATE": database for name, database in made.items()}
            outcomes += [_pytest(infrastructure, service, suite_of(service), environment) for service in services]
            if folders:
                arguments = [*folders, "-m", "not platform"]
                outcomes.append(_pytest(infrastructure, "+".join(folders), arguments, environment))
        if journeys:
            outcomes.append(_journeys(state, platform))
    for outcome in outcomes:
        print(f"{outcome.suite}: {outcome.passed} passed, {outcome.failed} failed")
    passed, failed = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("passed", "failed"))
    print(f"\n{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def suite_of(service: str) -> list[str]:
    """Return what pytest is told for the suite of a service, or for the proofs: its settings and its folder."""
    if service == PROOFS:
        return ["-c", f"{package('bookings')}/pytest.ini", f"{package('bookings')}/tests/{PROOFS}"]
    return ["-c", f"{package(service)}/pytest.ini", f"{package(service)}/tests"]


def chosen(suite: str | None) -> tuple[list[str], list[str], bool]:
    """Return the services (and the proofs), the other folders, and whether the journeys, that `suite` means. Raises Refusal."""
    root = Platform.from_environment().root
    here = [folder for folder in OWN if (root / folder).is_dir()]
    has_journeys = (root / "tests").is_dir()
    if suite is None:
        own = [name for name in SERVICES if (root / package(name) / "tests").is_dir()]
        return [*own, *([PROOFS] if has_journeys else [])], here, has_journeys
    if suite == PROOFS:
        return [PROOFS], [], False
    if suite == "platform":
        return [], [], has_journeys
    if suite in here:
        return [], [suite], suite == "tests"
    try:
        return [service_named(suite)], [], False
    except Refusal as refusal:
        raise Refusal(f"{refusal.message.removesuffix('.')}, {PROOFS}, {', '.join(here)}, platform.") from refusal


def _journeys(folder: Path, platform: Platform) -> Outcome:
    """Run what needs the whole platform on a new one, set up from nothing as a person's first is."""
    own = Platform(var=folder / "platform", offset=_free_block())
    shutil.rmtree(own.var, ignore_errors=True)
    try:
        with _running(own, "--for-tests"):
            environment = {**_environment(own), **public_addresses(own), "MAILDIR": str(own.mail)}
            return _pytest(own, "platform", ["tests", "-m", "platform"], environment)
    except Refusal as refusal:
        print(refusal.message, file=sys.stderr)
        return Outcome("platform", 0, 1)


def _pytest(platform: Platform, suite: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """Run pytest and count what it did; a run that broke off, or ran nothing, is one failure more."""
    print(f"\n=== {suite}", flush=True)
    report = platform.run / "junit.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "-p", "no:cacheprovider", *arguments]
    marked = {**environment, children.MARK: "pytest", "TRAVEL_VAR": str(platform.var)}
    process = subprocess.Popen(command, cwd=platform.root, env=marked, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        code = process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    passed, failed = counted(report)
    if code not in (0, 1) or (code == 1 and not failed):
        print(f"{suite}: pytest ended with exit code {code}", flush=True)
        failed += 1
    return Outcome(suite, passed, failed)


def counted(report: Path) -> tuple[int, int]:
    """Return how many tests passed and failed by a JUnit file, skips and errors among the failures; 0, 0 without one."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314
    except (OSError, ElementTree.ParseError):
        return 0, 0
    bad = sum(int(one.get(kind, 0)) for one in suites for kind in ("failures", "errors", "skipped"))
    return max(0, sum(int(one.get("tests", 0)) for one in suites) - bad), bad


@contextmanager
def _running(platform: Platform, *options: str) -> Iterator[None]:
    """Keep a platform up for the body, owned by this process."""
    platform.make_folders()
    shutil.rmtree(platform.var / "kafka", ignore_errors=True)  # the topics of killed runs
    supervisor = start_supervisor(platform, *options, "--owner", str(os.getpid()))
    try:
        said(follow(platform, until_ready=True, quiet="--infrastructure-only" in options))
        yield
    finally:
        stop_supervisor(platform)
        supervisor.wait(timeout=10)


@contextmanager
def _state_folder(platform: Platform) -> Iterator[Path]:
    """Hold var/test for this run alone, and reap what a killed run left in it. Raises Refusal where another run holds it."""
    folder = platform.var / "test"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                f"Another test run is under way in {folder}.", "TRAVEL_VAR=/tmp/travel-2 ./manage_all.py test"
            ) from None
        for name in ("infrastructure", "platform"):
            left = Platform(var=folder / name)
            if left.run.is_dir():
                down(left)
        yield folder


def _free_block() -> int:
    """Return an offset whose whole block of ports is free."""
    wanted = [process.port for process in TABLE if process.port] + [ports.KAFKA_CONTROLLER]
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        if all(ports.free(port + offset) for port in wanted):
            return offset
    raise Refusal("No block of ports is free for a test run.", "ss -ltnp")


def _environment(platform: Platform) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**inherited, **all_services(platform, Vault(platform)), "PORT_OFFSET": str(platform.offset)}
