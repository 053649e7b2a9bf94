"""The providers that the settings configure, and the one-line error at start for a missing or wrong variable.

The settings module is executed in this process, each time with other variables. One test starts a real process.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bookings_service.payments.providers import configured, provider

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = ROOT / "bookings_service" / "config" / "settings.py"
PREFIXES = ("PAYMENT_", "STRIPE_")
SANDBOX = {
    "PAYMENT_SANDBOX_URL": "http://127.0.0.1:9",
    "PAYMENT_WEBHOOK_SECRET": "secret",
    "PAYMENT_WEBHOOK_URL": "http://127.0.0.1:9/",
}
STRIPE = {"STRIPE_API_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


@pytest.fixture(autouse=True)
def no_provider_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the providers' variables from the environment."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)


@pytest.fixture
def fresh_providers() -> Iterator[None]:
    """Forget the configured providers before and after the test."""
    configured.cache_clear()
    yield
    configured.cache_clear()


def read_settings(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> dict[str, Any]:
    """Execute the settings module with `variables` and return the providers' settings. Raises SystemExit."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return {name: value for name, value in runpy.run_path(str(SETTINGS)).items() if name.startswith(PREFIXES)}


@pytest.mark.usefixtures("fresh_providers")
@pytest.mark.parametrize(
    ("variables", "name", "names"),
    [
        (SANDBOX, "sandbox", ["sandbox"]),
        ({"PAYMENT_PROVIDER": "stripe", **STRIPE}, "stripe", ["stripe"]),
        ({**SANDBOX, **STRIPE}, "sandbox", ["sandbox", "stripe"]),
        ({"PAYMENT_PROVIDER": "stripe", **SANDBOX, **STRIPE}, "stripe", ["sandbox", "stripe"]),
        ({**SANDBOX, "STRIPE_API_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}, "sandbox", ["sandbox"]),
    ],
)
def test_one_provider_is_used_and_the_other_stays_configured(
    variables: dict[str, str], name: str, names: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    for setting, value in read_settings(monkeypatch, variables).items():
        setattr(settings, setting, value)

    assert (provider().name, sorted(configured())) == (name, names)
    assert settings.STRIPE_API_BASE == "https://api.stripe.com"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "PAYMENT_SANDBOX_URL is not set"),
        ({**SANDBOX, "PAYMENT_WEBHOOK_SECRET": ""}, "PAYMENT_WEBHOOK_SECRET is not set"),
        ({"PAYMENT_PROVIDER": "stripe", **SANDBOX}, "STRIPE_API_KEY is not set"),
        ({"PAYMENT_PROVIDER": "stripe", "STRIPE_API_KEY": "sk_1"}, "STRIPE_WEBHOOK_SECRET is not set"),
        ({**SANDBOX, "STRIPE_API_KEY": "sk_1"}, "STRIPE_WEBHOOK_SECRET is not set"),
        ({"PAYMENT_PROVIDER": "cash"}, "PAYMENT_PROVIDER is malformed: sandbox or stripe is expected, not cash"),
        (
            {"PAYMENT_PROVIDER": "stripe", **STRIPE, "STRIPE_API_KEY": "pk_live_1"},
            "STRIPE_API_KEY is malformed: a secret (sk_…) or restricted (rk_…) key is expected",
        ),
        (
            {"PAYMENT_PROVIDER": "stripe", **STRIPE, "STRIPE_API_BASE": "http://127.0.0.1.example"},
            "STRIPE_API_BASE is malformed: https://… is expected, because every request contains the key",
        ),
    ],
)
def test_a_missing_or_wrong_variable_is_reported_in_one_line(
    variables: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(monkeypatch, variables)

    assert (ended.value.code, *capsys.readouterr()) == (78, "", f"bookings_service: {line}\n")


def test_a_process_without_its_variables_ends_with_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.PAYMENT_PROVIDER)"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "bookings_service.config.settings", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (78, "", "bookings_service: PAYMENT_SANDBOX_URL is not set\n")
