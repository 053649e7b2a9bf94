"""Each service runs with only the packages of its own lock.

The development environment has all packages and hides a missing one.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import SERVICES
from launcher.vault import Vault
from manage_all import uv_environment

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="session")
def environments():
    """The folder of environments made from locks. It is kept between runs, because making one takes long."""
    folder = Path(os.environ.get("TRAVEL_VAR") or ROOT / "var") / "locked"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def installed(lock: Path, folder: Path) -> Path:
    """Return the Python of an environment with exactly the packages of `lock`."""
    environment = folder / f"{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = environment / "bin" / "python"
    if not (environment / "whole").exists():
        subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, environment], check=True)
        command = [UV, "pip", "sync", "-q", "--require-hashes", "--python", python, lock]
        subprocess.run(command, check=True, env=uv_environment())  # uses the package index of this machine's pip
        (environment / "whole").touch()
    return python


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_completely_with_only_its_own_lock(service, environments, tmp_path):
    """Seen failing for a service whose lock lacks a package that another service has."""
    python = installed(ROOT / "requirements" / f"{service}_service.txt", environments)
    platform = Platform(var=tmp_path)
    platform.make_folders()
    environment = {
        **service_environment(service, platform, Vault(platform)),
        "DJANGO_SETTINGS_MODULE": f"{service}_service.config.settings",
    }

    done = subprocess.run(
        [python, ROOT / "tests" / "architecture" / "import_all.py", f"{service}_service"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 20


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_uses_every_package_that_it_lists(service, tmp_path):
    """Seen failing for pybreaker in four services that call no breaker, and for REST framework in the gateway."""
    platform = Platform(var=tmp_path)
    platform.make_folders()
    environment = {
        **service_environment(service, platform, Vault(platform)),
        "DJANGO_SETTINGS_MODULE": f"{service}_service.config.settings",
    }

    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "architecture" / "unused_packages.py", f"{service}_service"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == []


def test_the_development_environment_contains_every_lock():
    """Each package has one version everywhere, so a service is tested with the version in its image."""
    union = lines_of("dev")

    for lock in (ROOT / "requirements").glob("*.txt"):
        assert lines_of(lock.stem) - union == set() or lock.stem in {"constraints", "dev"}, lock.name


@pytest.mark.parametrize("name", sorted({path.stem for path in (ROOT / "requirements").glob("*.in")} - {"service"}))
def test_a_lock_contains_the_packages_of_its_in_file(name):
    """Fails if somebody adds a package to a .in file and does not write the lock again."""
    locked = {line.partition("==")[0] for line in lines_of(name)}

    assert requested(name) <= locked


def requested(name: str) -> set[str]:
    """Return the packages that a .in file and the files that it includes name."""
    packages = set()
    for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines():
        entry = line.split("#")[0].strip()
        if entry.startswith("-r "):
            packages |= requested(Path(entry[3:]).stem)
        elif entry and not entry.startswith("-"):
            packages.add(re.split(r"[\\[=<>~!; ]", entry)[0].lower())
    return packages


def lines_of(name: str) -> set[str]:
    """Return the `package==version` lines of a lock, without their markers."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {line.split(";")[0].strip(" \\") for line in text.splitlines() if line and line[0].isalnum()}
