"""The check of `doctor` that Kafka has the topics that the services declare."""

import os
import subprocess
import sys
from collections.abc import Iterator

from launcher import children
from launcher.environment import platform_environment
from launcher.platform import Platform
from launcher.report import Report
from launcher.vault import Vault


def topics(platform: Platform) -> Iterator[tuple[str, str]]:
    """Yield each topic that is missing or has another number of partitions, and what to type."""
    report = Report.read(platform)
    if report is None or not report.alive():
        return
    is_external = "kafka" not in {row.name for row in report.processes}
    if not is_external and not children.running(platform, "kafka"):
        return  # the check of processes says so
    environment = {**os.environ, **platform_environment(platform, Vault(platform), external=is_external)}
    done = subprocess.run(
        [sys.executable, "-m", "shared.kafka.topics", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=platform.root,
        env=environment,
    )
    for line in done.stdout.splitlines():
        problem, _, remedy = line.partition("\t")
        yield problem, remedy
    if done.returncode not in (0, 1):
        yield (done.stderr.strip() or "The topics could not be checked.").splitlines()[-1], "./manage_all.py logs kafka"
