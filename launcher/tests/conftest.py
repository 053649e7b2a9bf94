"""Platforms for tests: state folders of their own, ports of their own, real servers."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import ports
from launcher.commands.down import down
from launcher.commands.up import follow, start_supervisor
from launcher.infrastructure import postgres
from launcher.platform import Platform
from launcher.processes import TABLE
from launcher.report import Phase, Report

OFFSETS = range(24_000, 24_600, 100)  # a test run's own platforms are below


def free_platform(var: Path) -> Platform:
    """Return a platform in `var` on a block of ports that nobody uses."""
    wanted = [process.port for process in TABLE if process.port] + [ports.KAFKA_CONTROLLER]
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        if all(ports.free(port + offset) for port in wanted):
            platform = Platform(var=var, offset=offset)
            platform.make_folders()
            return platform
    raise AssertionError("no block of ports is free")


def supervise(platform: Platform, *options: str) -> Report:
    """Start a supervisor for the infrastructure, owned by this test run, and return once all of it is ready."""
    process = start_supervisor(platform, "--infrastructure-only", "--for-tests", "--owner", str(os.getpid()), *options)
    report = follow(platform, until_ready=True, quiet=True)
    assert report.phase is Phase.READY, report.problem
    process.returncode = process.returncode or 0  # its end is read from its report; no warning when it is collected
    return report


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform with nothing running; what a test starts is stopped."""
    own = free_platform(tmp_path / "a folder with a space" / "var")
    yield own
    down(own)
    postgres.remove(own)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform whose PostgreSQL, Valkey, Kafka and mail server run under a supervisor."""
    own = free_platform(tmp_path_factory.mktemp("running") / "var")
    supervise(own)
    yield own
    down(own)
    postgres.remove(own)
