"""`up`: check, start the supervisor, show the progress, print where everything is."""

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Final

from launcher import children, ports
from launcher.bringup import Extent
from launcher.commands import compose
from launcher.environment import missing_for_external
from launcher.platform import Platform, running_offset
from launcher.processes import TABLE
from launcher.progress import Progress
from launcher.refusal import Refusal
from launcher.report import Phase, Report
from launcher.summary import print_summary

LEAST_FREE: Final = 600_000_000  # bytes: what a first start writes
INFRA: Final = ("embedded", "compose", "external")


def up(platform: Platform, *, detach: bool, infra: str) -> int:
    """Bring the platform up, or follow the one that runs, and return the exit code.

    Without `detach`, stay, show every crash, and stop everything on Ctrl-C. Raises Refusal.
    """
    if infra not in INFRA:
        raise Refusal(f"There is no --infra {infra}. It is one of: {', '.join(INFRA)}.", "./manage_all.py up")
    platform.make_folders()
    report = Report.read(platform)
    check_offset(platform)
    if report and report.alive() and report.phase is not Phase.STOPPING:
        retry_now(platform, report)
    else:
        check_disk(platform)
        if infra == "compose":
            compose.start(platform)
        if infra != "embedded" and (missing := missing_for_external()):
            raise Refusal(f"--infra {infra} needs these variables, which are not set: {', '.join(missing)}.")
        check_ports(platform, Extent(embedded=infra == "embedded"))
        start_supervisor(platform, *(["--external"] if infra != "embedded" else []))
    try:
        report = follow(platform, until_ready=True)
        if report.phase is Phase.READY:
            print_summary(platform, report, detached=detach)
        elif not detach:
            print(f"\n{report.problem}\nTry again: ./manage_all.py up   Stop: Ctrl-C", flush=True)
        if detach:
            check_ready(report)
            return 0
        follow(platform, until_ready=False)
    except KeyboardInterrupt:
        print("\nStopping the platform …", flush=True)
        stop_supervisor(platform)
    return 0


def retry_now(platform: Platform, report: Report) -> None:
    """Make a running supervisor restart crashed processes without their back-off, and repeat what failed."""
    os.kill(report.supervisor, signal.SIGHUP)
    deadline = time.monotonic() + 3
    while report and report.phase is not Phase.STARTING and time.monotonic() < deadline:
        time.sleep(0.05)
        report = Report.read(platform) or report


def check_ready(report: Report) -> None:
    """Raise Refusal, with the report's problem, unless the platform is ready."""
    if report.phase is not Phase.READY:
        raise Refusal(report.problem or f"The platform is {report.phase}.", report.hint)


def check_offset(platform: Platform) -> None:
    """Raise Refusal if the platform in this state folder runs on another block of ports."""
    running = running_offset(platform.var)
    if running in ("", str(platform.offset)):
        return
    if any(children.running(platform, process.name) for process in TABLE):
        raise Refusal(
            f"The platform in {platform.var} runs with PORT_OFFSET={running}.",
            f"PORT_OFFSET={platform.offset} TRAVEL_VAR=var-2 ./manage_all.py up",
        )


def check_disk(platform: Platform) -> None:
    """Raise Refusal if the disk of the state folder has too little space."""
    free = shutil.disk_usage(platform.var).free
    if free < LEAST_FREE:
        raise Refusal(
            f"The disk of {platform.var} is full:"
            f" {free // 1_000_000} MB are free, {LEAST_FREE // 1_000_000} MB are needed.",
            "TRAVEL_VAR=/another/disk/travel ./manage_all.py up",
        )


def check_ports(platform: Platform, extent: Extent) -> None:
    """Raise Refusal, with every such port, if other processes than this platform's use its ports."""
    taken = []
    for process in TABLE:
        if process not in extent.processes() or process.port is None or children.running(platform, process.name):
            continue
        wanted = [process.port, ports.KAFKA_CONTROLLER] if process.name == "kafka" else [process.port]
        taken += [
            f"Port {port}, which {process.name} needs, is used by {ports.describe_holder(port)}."
            for port in map(platform.port, wanted)
            if not ports.free(port) and not _is_own(platform, port)
        ]
    if taken:
        raise Refusal("\n".join(taken), f"PORT_OFFSET={platform.offset + 100} TRAVEL_VAR=var-2 ./manage_all.py up")


def _is_own(platform: Platform, port: int) -> bool:
    """Return whether a process of this platform that lost its pid file uses the port. The supervisor adopts it."""
    holder = ports.holder(port)
    return holder is not None and any(stray.pid == holder.pid for stray in children.strays(platform))


def start_supervisor(platform: Platform, *options: str) -> "subprocess.Popen[bytes]":
    """Start the supervisor in a session of its own, and return when it has written its report. Raises Refusal."""
    command = [
        sys.executable,
        "-m",
        "launcher.supervisor",
        "--var",
        str(platform.var),
        "--offset",
        str(platform.offset),
    ]
    environment = {**os.environ, "PYTHONPATH": str(platform.root)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with children.open_log(children.log_of(platform, "launcher")) as log:
        process = subprocess.Popen(
            [*command, *options],
            cwd=platform.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 30
    while (report := Report.read(platform)) is None or not report.alive():
        if process.poll() or time.monotonic() > deadline:
            lines = children.last_lines(children.log_of(platform, "launcher"), 8)
            raise Refusal(
                "\n".join(["The supervisor did not start. The last lines of its log:", *lines]),
                "./manage_all.py doctor",
            )
        time.sleep(0.05)
    return process


def follow(platform: Platform, *, until_ready: bool, quiet: bool = False) -> Report:
    """Show the supervisor's progress until the platform is ready or has failed.

    Without `until_ready`, show it until the platform stops.
    """
    with Progress(quiet=quiet) as progress:
        while True:
            report = Report.read(platform)
            if report is None or not report.alive():
                if report is None or report.phase is not Phase.STOPPED:
                    raise Refusal(
                        "The supervisor was killed. The platform's processes run on without it.", "./manage_all.py up"
                    )
                return report
            progress.show(report, live=until_ready)
            if until_ready and report.phase is not Phase.STARTING:
                return report
            time.sleep(0.2)


def stop_supervisor(platform: Platform) -> None:
    """Ask the supervisor to stop everything, and wait for it. Raises Refusal if a process still runs."""
    report = Report.read(platform)
    if report and report.alive():
        os.kill(report.supervisor, signal.SIGTERM)
        deadline = time.monotonic() + 15
        while report.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
    still_running = [process.name for process in TABLE if children.running(platform, process.name)]
    if still_running:
        raise Refusal(f"These processes still run: {', '.join(still_running)}.", "./manage_all.py down")
