"""Production settings are safe by default, and a wrong environment ends the process with one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import SERVICES, WITH_DATABASE
from launcher.vault import Vault

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """Return a function that returns the environment of a service in production, behind HTTPS."""
    platform = Platform(var=tmp_path_factory.mktemp("var"))
    platform.make_folders()

    def environment(service, **changed):
        variables = {
            **service_environment(service, platform, Vault(platform)),
            "PUBLIC_URL": "https://travel.example",
            "ALLOWED_HOSTS": "travel.example",
            "DJANGO_SETTINGS_MODULE": f"{service}_service.config.settings",
            **changed,
        }
        variables.pop("DEBUG", None)
        return {name: value for name, value in variables.items() if value is not None}

    return environment


def run(environment, *command):
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("service", SERVICES)
def test_djangos_deployment_check_passes(service, production):
    """DEBUG is not set, so it is off."""
    done = run(production(service), f"{service}_service/manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def required(service):
    """Return the variables without which a service does not start."""
    return ["SECRET_KEY", *([f"{service.upper()}_DATABASE_URL"] if service in WITH_DATABASE else [])]


@pytest.mark.parametrize(("service", "name"), [(service, name) for service in SERVICES for name in required(service)])
def test_a_missing_variable_is_named_in_one_line(service, name, production):
    done = run(production(service, **{name: None}), "-c", "from django.conf import settings; settings.DEBUG")

    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr == f"{service}_service: {name} is not set\n"


@pytest.mark.parametrize(
    ("name", "value"), [("USERS_DATABASE_URL", "nonsense"), ("SECRET_KEY", "short"), ("DEBUG", "perhaps")]
)
def test_a_malformed_variable_is_named_in_one_line(name, value, production):
    environment = {**production("users"), name: value}

    done = run(environment, "-c", "from django.conf import settings; settings.DEBUG")

    assert done.returncode == 78
    assert done.stderr.startswith(f"users_service: {name} is malformed")
    assert done.stderr.count("\n") == 1
    assert value not in done.stderr.partition("malformed")[2] or name == "DEBUG"


ASK = """
import json, sys, django
django.setup()
from django.test import Client
for method, path, headers in json.loads(sys.argv[1]):
    answer = Client(raise_request_exception=False).generic(method, path, headers=headers)
    print(answer.status_code, answer.headers.get("Location", ""))
"""
PUBLIC = {"Host": "travel.example"}
PASSED_ON = {**PUBLIC, "X-Forwarded-Proto": "https"}  # as the gateway does


def requests_of(service):
    """Return requests to a service in production, each with the answer that is expected."""
    yield ("GET", "/health/live", {"Host": "localhost"}), "200 "
    if service == "gateway":
        return
    yield ("GET", "/health/live", {"Host": f"{service}.web:8000"}), "200 "
    yield ("GET", "/api/schema/", {"Host": "127.0.0.1:8000"}), "200 "  # the gateway merges it
    yield ("GET", "/api/v1/nothing/", PASSED_ON), "404 "
    yield ("GET", "/api/v1/nothing/", PUBLIC), "301 https://travel.example/api/v1/nothing/"
    yield ("GET", "/admin/", PUBLIC), "301 https://travel.example/admin/"
    yield ("GET", "/health/live", {"Host": "evil.example"}), "400 "
    # These two need the database, and there is none here.
    if service == "users":
        yield ("GET", "/.well-known/jwks.json", {"Host": "127.0.0.1:8001"}), "503 "
    if service == "bookings":
        yield ("POST", "/api/v1/payments/webhooks/sandbox/", {"Host": "127.0.0.1:8003"}), "503 "


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_platforms_own_requests_need_no_https(service, production):
    """They come over plain HTTP and by an internal name, whatever PUBLIC_URL and ALLOWED_HOSTS say.

    Seen failing: 301 without SECURE_REDIRECT_EXEMPT, 400 without the platform's own names in allowed_hosts.
    """
    asked, expected = zip(*requests_of(service), strict=True)
    own = {f"{service.upper()}_URL": f"http://{service}.web:8000"}

    done = run(production(service, ALLOWED_HOSTS="other.example", **own), "-c", ASK, json.dumps(asked))

    assert list(zip(asked, done.stdout.splitlines(), strict=True)) == list(zip(asked, expected, strict=True))
