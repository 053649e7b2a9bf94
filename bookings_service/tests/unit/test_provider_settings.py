"""The provider in use, and the one-line error at start for a missing or wrong variable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PRINT = (
    "import json; from django.conf import settings; from bookings_service.payments.providers import configured, provider; "
    "print(json.dumps([provider().name, sorted(configured()), settings.STRIPE_API_BASE]))"
)
SANDBOX = {
    "PAYMENT_SANDBOX_URL": "http://127.0.0.1:9",
    "PAYMENT_WEBHOOK_SECRET": "secret",
    "PAYMENT_WEBHOOK_URL": "http://127.0.0.1:9/",
}
STRIPE = {"STRIPE_API_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


def start(**variables: str) -> "subprocess.CompletedProcess[str]":
    """Start a process of this service with only these of the providers' variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAYMENT_", "STRIPE_"))}
    return subprocess.run(
        [sys.executable, "-c", PRINT],
        env={
            **kept,
            "DJANGO_SETTINGS_MODULE": "bookings_service.config.settings",
            "PYTHONPATH": str(ROOT),
            **variables,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "provider", "configured"),
    [
        (SANDBOX, "sandbox", ["sandbox"]),
        ({"PAYMENT_PROVIDER": "stripe", **STRIPE}, "stripe", ["stripe"]),
        ({**SANDBOX, **STRIPE}, "sandbox", ["sandbox", "stripe"]),
        ({"PAYMENT_PROVIDER": "stripe", **SANDBOX, **STRIPE}, "stripe", ["sandbox", "stripe"]),
        ({**SANDBOX, "STRIPE_API_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}, "sandbox", ["sandbox"]),
    ],
)
def test_one_provider_is_used_and_the_other_stays_configured(
    variables: dict[str, str], provider: str, configured: list[str]
) -> None:
    done = start(**variables)

    assert json.loads(done.stdout) == [provider, configured, "https://api.stripe.com"], done.stderr


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
def test_a_missing_or_wrong_variable_is_reported_in_one_line(variables: dict[str, str], line: str) -> None:
    done = start(**variables)

    assert (done.returncode, done.stdout, done.stderr) == (78, "", f"bookings_service: {line}\n")
