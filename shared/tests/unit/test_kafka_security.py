"""KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_* and KAFKA_CA_FILE: what clients get, and which mistakes end the process."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import kafka
from shared.settings.env import EX_CONFIG
from shared.settings.kafka import WrongKafkaVariable, own_security, security

SIGN_IN = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USERNAME": "travel", "KAFKA_SASL_PASSWORD": "s3cret"}


def test_without_variables_the_connection_is_in_the_clear() -> None:
    assert security({}) == security(dict.fromkeys(kafka.VARIABLES, "")) == {"security.protocol": "PLAINTEXT"}


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_sign_in_needs_its_three_variables(protocol: str) -> None:
    assert security({"KAFKA_SECURITY_PROTOCOL": protocol, **SIGN_IN}) == {
        "security.protocol": protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "travel",
        "sasl.password": "s3cret",
    }


WRONG = [
    ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL is malformed"),
    ({"KAFKA_SECURITY_PROTOCOL": "sasl_ssl", **SIGN_IN}, "KAFKA_SECURITY_PROTOCOL is malformed"),
    *(
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **SIGN_IN, name: ""}, f"{name} is not set, but")
        for name in SIGN_IN
    ),
    ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **SIGN_IN, "KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM is mal"),
    *(({name: value}, f"{name} is set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT") for name, value in SIGN_IN.items()),
    ({"KAFKA_CA_FILE": "/ca.pem"}, "KAFKA_CA_FILE is set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/nowhere.pem"}, "KAFKA_CA_FILE is malformed"),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": __file__}, "KAFKA_CA_FILE is malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_a_wrong_variable_is_named(environment: dict[str, str], problem: str) -> None:
    """Seen failing (no refusal) without each of the checks. No text holds the password."""
    with pytest.raises(WrongKafkaVariable) as refused:
        security(environment)
    assert str(refused.value).startswith(problem)
    assert "s3cret" not in str(refused.value)


def test_a_process_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    with pytest.raises(SystemExit) as ended:
        own_security()
    assert ended.value.code == EX_CONFIG
    assert capsys.readouterr().err.count("\n") == 1


def test_a_service_ends_at_its_start_before_it_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that makes a client later could not end the process. Seen failing without `check_security` in base."""
    root = Path(kafka.__file__).parents[2]
    environment = {
        "PATH": "",
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "gateway_service.config.settings",
        "KAFKA_SECURITY_PROTOCOL": "SSL_SASL",
        "SECRET_KEY": "x" * 60,
    }
    program = "from shared.settings import base; base.every('gateway')"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == EX_CONFIG, done.stderr
    assert done.stderr.startswith("gateway_service: KAFKA_SECURITY_PROTOCOL is malformed")
    assert done.stderr.count("\n") == 1
