"""Every process takes time zones from the pinned `tzdata` package, whatever the system's own data say."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from launcher.environment import platform_environment, service_environment
from launcher.platform import Platform
from launcher.processes import SERVICES
from launcher.vault import Vault

ROOT = Path(__file__).resolve().parents[2]
OFFSET = "; from datetime import datetime; from zoneinfo import ZoneInfo; print(datetime(2026, 7, 1, tzinfo=ZoneInfo('%s')).utcoffset())"
ZONE, ELSEWHERE = "America/Vancouver", "Asia/Tokyo"


@pytest.fixture(scope="module")
def old_system(tmp_path_factory):
    """A folder of time zones as on a system with other data: Vancouver's clock is Tokyo's."""
    folder = tmp_path_factory.mktemp("zoneinfo")
    file = folder / ZONE
    file.parent.mkdir(parents=True)
    file.write_bytes(files("tzdata").joinpath("zoneinfo", *ELSEWHERE.split("/")).read_bytes())
    return folder


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    platform = Platform(var=tmp_path_factory.mktemp("var"))
    platform.make_folders()
    return platform


def offset_in(statement, environment, zone=ZONE):
    """Return the summer offset of `zone` from UTC in a process that runs `statement` first."""
    command = [sys.executable, "-c", statement + OFFSET % zone]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_test_sees_the_systems_data(old_system):
    assert offset_in("pass", {**os.environ, "PYTHONTZPATH": str(old_system)}) == "9:00:00"


@pytest.mark.parametrize("service", SERVICES)
def test_settings_use_the_pinned_data(service, old_system, platform):
    """Seen failing (9:00:00) without reset_tzpath in shared.settings."""
    environment = {
        **service_environment(service, platform, Vault(platform)),
        "DJANGO_SETTINGS_MODULE": f"{service}_service.config.settings",
        "PYTHONTZPATH": str(old_system),
    }

    offset = offset_in("from django.conf import settings; settings.DEBUG", environment)

    assert offset == offset_in("pass", {**os.environ, "PYTHONTZPATH": ""}) != "9:00:00"


def test_every_process_is_started_with_the_pinned_data(platform, monkeypatch, old_system):
    """The shell's own setting does not count. Seen failing without PYTHONTZPATH in the environment table."""
    monkeypatch.setenv("PYTHONTZPATH", str(old_system))

    assert platform_environment(platform, Vault(platform))["PYTHONTZPATH"] == ""


def test_images_use_the_pinned_data():
    assert "PYTHONTZPATH= " in (ROOT / "deploy" / "Dockerfile").read_text()


@pytest.mark.parametrize("lock", [*(f"{service}_service" for service in SERVICES), "embedded", "dev"])
def test_every_lock_has_the_data(lock):
    """Seen failing for the gateway and the launcher, whose locks had them on Windows only."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()

    assert any(line.startswith("tzdata==") and "sys_platform" not in line for line in lines)
