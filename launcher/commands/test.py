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
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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
FUZZING: Final = "fuzzing"  # the suite that sends generated requests to a whole platform; runs alone and in --proofs
FUZZING_FOLDER: Final = "tests/fuzzing"
# In a run of all suites these run beside the others, on infrastructure of their own.
SECOND_LANE: Final = ("bookings", "notifications", "gateway")
OFFSETS: Final = range(10_000, 24_000, 100)  # below the ports that the system gives out by itself


_pytests: Final[set["subprocess.Popen[bytes]"]] = set()  # that run now


@dataclass(frozen=True, slots=True)
class Selection:
    """What to run: suites of services (PARTS among them), folders of other suites, and tests of a whole platform.

    `journeys` are the folders of those tests.
    """

    services: Sequence[str] = ()
    folders: Sequence[str] = ()
    journeys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A suite, what pytest gets for it, and the service that it is of, if it is a service's."""

    suite: str
    arguments: Sequence[str]
    service: str = ""


def test(platform: Platform, suite: str | None, *, proofs: bool) -> int:
    """Run the suite of that name, or all suites, and return 0 if every test passed.

    `proofs` runs only the proofs, at their full size. The last line printed is
    `N passed, N failed`. Raises Refusal if another run is under way or the name is unknown.
    """
    whole_platform = (FUZZING_FOLDER, OUTAGES_FOLDER)
    proof_suites = Selection([PROOFS, ENUMERATION, EVENTS, OUTBOX], [FAULTS], whole_platform)
    selection = proof_suites if proofs else select(suite)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in ADDRESSES:  # a shell's own name another platform, and the journeys would call that one
        os.environ.pop(name, None)
    more = {"PROOFS": "whole"} if proofs else {}
    outcomes: list[Outcome] = []
    with _state_folder(platform):
        *infrastructures, whole = platform.test_platforms()
        for infrastructure in infrastructures:
            shutil.rmtree(infrastructure.log, ignore_errors=True)  # the last journey reads every log of this run
        if lanes := lanes_of(selection, side_by_side=not proofs):
            outcomes += _run_lanes(list(zip(infrastructures, lanes, strict=False)), more)
        if selection.journeys:
            outcomes.append(_journeys(whole, selection.journeys, more))
    return _print_outcomes(outcomes)


def lanes_of(selection: Selection, *, side_by_side: bool) -> list[list[Job]]:
    """Return the suites of the selection as one lane, or as two that take about equally long."""
    jobs = [Job(name, pytest_arguments(name), PARTS[name][0] if name in PARTS else name) for name in selection.services]
    if selection.folders:
        jobs.append(Job("+".join(selection.folders), [*selection.folders, "-m", f"not {JOURNEYS}"]))
    second = [job for job in jobs if job.suite in SECOND_LANE] if side_by_side and len(jobs) > 1 else []
    return [lane for lane in ([job for job in jobs if job not in second], second) if lane]


def _run_lanes(lanes: Sequence[tuple[Platform, Sequence[Job]]], more: Mapping[str, str]) -> list[Outcome]:
    """Run each lane on its own infrastructure, all at the same time. A lane that cannot start is one failure."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        starts = [threading.Event() for _ in lanes]
        starts[0].set()
        stop = threading.Event()
        running = [
            pool.submit(_run_lane, platform, jobs, more, starts=starts[number:], stop=stop, live=len(lanes) == 1)
            for number, (platform, jobs) in enumerate(lanes)
        ]
        try:
            return [outcome for lane in running for outcome in lane.result()]
        finally:
            stop.set()
            for process in list(_pytests):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _run_lane(
    platform: Platform,
    jobs: Sequence[Job],
    more: Mapping[str, str],
    *,
    starts: Sequence[threading.Event],
    stop: threading.Event,
    live: bool,
) -> list[Outcome]:
    """Run suites one after another, until `stop`.

    The lanes start their infrastructure one after another: `starts` has the turns.
    """
    starts[0].wait()
    try:
        own = replace(platform, offset=free_block())
        with _running(own, "--infrastructure-only", "--for-tests"):
            for turn in starts[1:2]:
                turn.set()
            environment = {**_environment(own), **more}
            owners = [name for name in dict.fromkeys(job.service for job in jobs) if name in WITH_DATABASE]
            made = templates.make(own, owners, environment)
            environment |= {f"{name.upper()}_TEST_DATABASE_TEMPLATE": database for name, database in made.items()}
            return [_pytest(own, job.suite, job.arguments, environment, live=live) for job in jobs if not stop.is_set()]
    except Refusal as refusal:
        print(refusal.message, file=sys.stderr)
        return [Outcome(jobs[0].suite, 0, 1)]
    finally:
        for turn in starts[1:2]:
            turn.set()


def pytest_arguments(service: str) -> list[str]:
    """Return the settings file and the folder that pytest gets for the suite of a service, or for one of PARTS."""
    if service in PARTS:
        owner, folder = PARTS[service]
        return ["-c", f"{package(owner)}/pytest.ini", f"{package(owner)}/tests/{folder}"]
    return ["-c", f"{package(service)}/pytest.ini", f"{package(service)}/tests"]


def select(suite: str | None) -> Selection:
    """Return what a suite's name means; None means all suites but BROWSER. Raises Refusal for an unknown name."""
    if suite is None:
        return Selection([*SERVICES, PROOFS], OTHER_SUITES, journeys=("tests",))
    if suite in PARTS:
        return Selection([suite])
    if suite == JOURNEYS:
        return Selection(journeys=("tests",))
    if suite == OUTAGES:
        return Selection(journeys=(OUTAGES_FOLDER,))
    if suite == FUZZING:
        return Selection(journeys=(FUZZING_FOLDER,))
    if suite in OTHER_SUITES:
        return Selection(folders=[suite], journeys=("tests",) if suite == "tests" else ())
    try:
        return Selection([service_named(suite)])
    except Refusal:
        known = ", ".join([*SERVICES, *PARTS, *OTHER_SUITES, JOURNEYS, OUTAGES, FUZZING])
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


def _journeys(platform: Platform, folders: Sequence[str], more: Mapping[str, str]) -> Outcome:
    """Run the tests of `folders` that need a whole platform on a new one, which is set up from nothing.

    `more` is added to their environment.
    """
    own = replace(platform, offset=free_block())
    postgres.remove(own)
    shutil.rmtree(own.var, ignore_errors=True)
    try:
        with _running(own, "--for-tests"):
            environment = {**_environment(own), **public_addresses(own), "MAILDIR": str(own.mail), **more}
            left_out = [] if FUZZING_FOLDER in folders else [f"--ignore={FUZZING_FOLDER}"]
            return _pytest(own, JOURNEYS, [*folders, *left_out, "-m", JOURNEYS], environment)
    except Refusal as refusal:
        print(refusal.message, file=sys.stderr)
        return Outcome(JOURNEYS, 0, 1)


def _pytest(
    platform: Platform, suite: str, arguments: Sequence[str], environment: Mapping[str, str], *, live: bool = True
) -> Outcome:
    """Run pytest and count its tests. A run that broke off, or that ran nothing, counts as one more failure.

    Its output is shown as it comes, or at the end if it is not `live`.
    """
    report, output = platform.run / "junit.xml", platform.run / "pytest.txt"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "-p", "no:cacheprovider", *arguments]
    marked = {**environment, children.MARK: "pytest", "TRAVEL_VAR": str(platform.var)}
    print(f"\n=== {suite}" if live else f"… {suite}", flush=True)
    with output.open("w") as file:
        process = subprocess.Popen(
            command, cwd=platform.root, env=marked, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=None if live else file, stderr=None if live else subprocess.STDOUT,
        )  # fmt: skip
        _pytests.add(process)
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            _pytests.discard(process)
    if not live:
        print(f"\n=== {suite}\n{output.read_text(errors='replace')}", flush=True)
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
