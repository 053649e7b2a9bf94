"""Each service runs on what its own lock installs: the development environment holds the union, and would hide a missing line."""

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
    """Environments made from locks, kept from run to run beside the rest of the state."""
    folder = Path(os.environ.get("TRAVEL_VAR") or ROOT / "var") / "locked"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def installed(lock: Path, folder: Path) -> Path:
    """Return the Python of an environment that holds what `lock` lists, and nothing else."""
    place = folder / f"{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = place / "bin" / "python"
    if not (place / "whole").exists():
        subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, place], check=True)
        command = [UV, "pip", "sync", "-q", "--require-hashes", "--python", python, lock]
        subprocess.run(command, check=True, env=uv_environment())  # the index that this machine's pip is told of
        (place / "whole").touch()
    return python


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_whole_with_its_own_lock_alone(service, environments, tmp_path):
    """Seen failing for a service whose lock lacks a package that the development environment holds for another."""
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


def test_the_development_environment_holds_every_lock():
    """One version of everything: no service is tested with another version than its image has."""
    union = lines_of("dev")

    for lock in (ROOT / "requirements").glob("*.txt"):
        assert lines_of(lock.stem) - union == set() or lock.stem in {"constraints", "dev"}, lock.name


@pytest.mark.parametrize("name", sorted({path.stem for path in (ROOT / "requirements").glob("*.in")} - {"service"}))
def test_a_lock_holds_what_was_asked_for(name):
    """A line added to a .in file without locking anew."""
    locked = {line.partition("==")[0] for line in lines_of(name)}

    assert asked_for(name) <= locked


def asked_for(name: str) -> set[str]:
    """The packages that a .in file names, those of the files it includes too."""
    found = set()
    for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines():
        wanted = line.split("#")[0].strip()
        if wanted.startswith("-r "):
            found |= asked_for(Path(wanted[3:]).stem)
        elif wanted and not wanted.startswith("-"):
            found.add(re.split(r"[\\[=<>~!; ]", wanted)[0].lower())
    return found


def lines_of(name: str) -> set[str]:
    """The `package==version` lines of a lock, their markers aside."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {line.split(";")[0].strip(" \\") for line in text.splitlines() if line and line[0].isalnum()}
