"""`test`: run every suite on infrastructure that is started for the run, and the journeys on a whole platform of their
own.

Both are stopped when the run ends or is killed, because their supervisors watch this process. Processes that a killed
run left behind are stopped by the next run.
"""

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from launcher import children, ports, templates
from launcher.commands.down import down
from launcher.commands.manage import service_named
from launcher.commands.up import check_ready, follow, start_supervisor, stop_supervisor
from launcher.environment import FOREIGN, all_services, public_addresses
from launcher.infrastructure import postgres
from launcher.junit import Outcome, read_report, slowest
from launcher.platform import Platform
from launcher.processes import SERVICES, TABLE, WITH_DATABASE, package
from launcher.refusal import Refusal
from launcher.vault import Vault

OTHER_SUITES: Final = ("shared", "launcher", "demo", "payment_sandbox", "tests")  # folders that belong to no service
ADDRESSES: Final = ("PUBLIC_URL", "MEDIA_PUBLIC_URL", "PAYMENT_WEBHOOK_URL")
PROOFS: Final = "concurrency"  # the suite in bookings_service/tests/concurrency: reduced, or whole with PROOFS=whole
BROWSER: Final = "browser"  # gateway_service/tests/browser: needs a Chromium, so it is run only by name
ENUMERATION: Final = "enumeration"  # the proof in users_service/tests/enumeration, part of the suite `users`
EVENTS: Final = "events"  # the proofs in notifications_service/tests/events, part of the suite `notifications`
OUTBOX: Final = "outbox"  # the tests in bookings_service/tests/integration/events, with a proof; part of `bookings`
# Suites in a folder of a service's tests: the service, and the folder.
PARTS: Final = {
    PROOFS: ("bookings", "concurrency"),
    BROWSER: ("gateway", "browser"),
    ENUMERATION: ("users", "enumeration"),
    EVENTS: ("notifications", "events"),
    OUTBOX: ("bookings", "integration/events"),
}
FAULTS: Final = (
    "tests/faults"  # kills processes at named places; part of the suite `tests`, reduced or whole like PROOFS
)
JOURNEYS: Final = "platform"  # the suite that needs a whole platform: what `tests` marks with `platform`
OUTAGES: Final = "outages"  # the suite that kills and hangs processes of a whole platform; part of JOURNEYS
OUTAGES_FOLDER: Final = "tests/outages"
OFFSETS: Final = range(10_000, 24_000, 100)  # below the ports that the system gives out by itself


@dataclass(frozen=True, slots=True)
class Selection:
    """What to run: suites of services (PARTS among them), folders of other suites, and tests of a whole platform.

    `journeys` is the folder of those tests, or empty.
    """

    services: Sequence[str] = ()
    folders: Sequence[str] = ()
    journeys: str = ""


def test(platform: Platform, suite: str | None, *, proofs: bool) -> int:
    """Run the suite of that name, or all suites, and return 0 if every test passed.

    `proofs` runs only the proofs, at their full size. The last line printed is
    `N passed, N failed`. Raises Refusal if another run is under way or the name is unknown.
    """
    selection = Selection([PROOFS, ENUMERATION, EVENTS, OUTBOX], [FAULTS], OUTAGES_FOLDER) if proofs else select(suite)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in ADDRESSES:  # a shell's own name another platform, and the journeys would call that one
        os.environ.pop(name, None)
    outcomes: list[Outcome] = []
    with _state_folder(platform):
        infrastructure, whole = platform.test_platforms()
        infrastructure = replace(infrastructure, offset=free_block())
        shutil.rmtree(infrastructure.log, ignore_errors=True)  # the last journey reads every log of this run
        with _running(infrastructure, "--infrastructure-only", "--for-tests"):
            environment = _environment(infrastructure) | ({"PROOFS": "whole"} if proofs else {})
            owners = dict.fromkeys(PARTS[name][0] if name in PARTS else name for name in selection.services)
            made = templates.make(infrastructure, [name for name in owners if name in WITH_DATABASE], environment)
            environment |= {f"{name.upper()}_TEST_DATABASE_TEMPLATE": database for name, database in made.items()}
            outcomes += [
                _pytest(infrastructure, service, pytest_arguments(service), environment)
                for service in selection.services
            ]
            if selection.folders:
                arguments = [*selection.folders, "-m", f"not {JOURNEYS}"]
                outcomes.append(_pytest(infrastructure, "+".join(selection.folders), arguments, environment))
        if selection.journeys:
            outcomes.append(_journeys(whole, selection.journeys, {"PROOFS": "whole"} if proofs else {}))
    return _print_outcomes(outcomes)


def pytest_arguments(service: str) -> list[str]:
    """Return the settings file and the folder that pytest gets for the suite of a service, or for one of PARTS."""
    if service in PARTS:
        owner, folder = PARTS[service]
        return ["-c", f"{package(owner)}/pytest.ini", f"{package(owner)}/tests/{folder}"]
    return ["-c", f"{package(service)}/pytest.ini", f"{package(service)}/tests"]


def select(suite: str | None) -> Selection:
    """Return what a suite's name means; None means all suites but BROWSER. Raises Refusal for an unknown name."""
    if suite is None:
        return Selection([*SERVICES, PROOFS], OTHER_SUITES, journeys="tests")
    if suite in PARTS:
        return Selection([suite])
    if suite == JOURNEYS:
        return Selection(journeys="tests")
    if suite == OUTAGES:
        return Selection(journeys=OUTAGES_FOLDER)
    if suite in OTHER_SUITES:
        return Selection(folders=[suite], journeys="tests" if suite == "tests" else "")
    try:
        return Selection([service_named(suite)])
    except Refusal:
        known = ", ".join([*SERVICES, *PARTS, *OTHER_SUITES, JOURNEYS, OUTAGES])
        raise Refusal(f"There is no suite {suite}. The suites are: {known}.", "./manage_all.py test") from None


def _print_outcomes(outcomes: Sequence[Outcome]) -> int:
    print("\nThe ten slowest tests, in seconds with their fixtures:")
    for timing in slowest(outcomes, 10):
        print(f"{timing.seconds:7.2f}  {timing.suite}: {timing.test}")
    print()
    for outcome in outcomes:
        print(f"{outcome.suite}: {outcome.passed} passed, {outcome.failed} failed")
    passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
    print(f"\n{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def _journeys(platform: Platform, folder: str, more: Mapping[str, str]) -> Outcome:
    """Run the tests of `folder` that need a whole platform on a new one, which is set up from nothing.

    `more` is added to their environment.
    """
    own = replace(platform, offset=free_block())
    postgres.remove(own)
    shutil.rmtree(own.var, ignore_errors=True)
    try:
        with _running(own, "--for-tests"):
            environment = {**_environment(own), **public_addresses(own), "MAILDIR": str(own.mail), **more}
            return _pytest(own, JOURNEYS, [folder, "-m", JOURNEYS], environment)
    except Refusal as refusal:
        print(refusal.message, file=sys.stderr)
        return Outcome(JOURNEYS, 0, 1)


def _pytest(platform: Platform, suite: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """Run pytest and count its tests. A run that broke off, or that ran nothing, counts as one more failure."""
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
    outcome = read_report(report, suite=suite)
    if code not in (0, 1) or (code == 1 and not outcome.failed):
        print(f"{suite}: pytest ended with exit code {code}", flush=True)
        return outcome.with_one_failure_more()
    return outcome


@contextmanager
def _running(platform: Platform, *options: str) -> Iterator[None]:
    """Keep a platform up for the body. It is stopped when this process ends."""
    platform.make_folders()
    shutil.rmtree(platform.var / "kafka", ignore_errors=True)  # the topics of killed runs
    supervisor = start_supervisor(platform, *options, "--owner", str(os.getpid()))
    try:
        check_ready(follow(platform, until_ready=True, quiet="--infrastructure-only" in options))
        yield
    finally:
        stop_supervisor(platform)
        supervisor.wait(timeout=10)


@contextmanager
def _state_folder(platform: Platform) -> Iterator[None]:
    """Hold var/test for this run only, and stop what a killed run left running.

    Raises Refusal if another run holds it.
    """
    folder = platform.var / "test"
    platform.make_state_folder()
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                f"Another test run is under way in {folder}.", "TRAVEL_VAR=/tmp/travel-2 ./manage_all.py test"
            ) from None
        for former in platform.test_platforms():
            down(former)
        yield


def free_block() -> int:
    """Return an offset at which every port of a platform is free. Raises Refusal if there is none."""
    wanted = [process.port for process in TABLE if process.port] + [ports.KAFKA_CONTROLLER]
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        if all(ports.free(port + offset) for port in wanted):
            return offset
    raise Refusal("No block of ports is free for a test run.", "ss -ltnp")


def _environment(platform: Platform) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**inherited, **all_services(platform, Vault(platform)), "PORT_OFFSET": str(platform.offset)}
