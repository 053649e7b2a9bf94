"""Which broker the processes reach: the embedded one in the clear, an external one as the person's variables say."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from launcher.environment import INFRASTRUCTURE, service_environment
from launcher.platform import Platform
from launcher.vault import Vault
from shared.settings.kafka import VARIABLES, security

GIVEN = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "PLAIN",
    "KAFKA_SASL_USERNAME": "travel",
    "KAFKA_SASL_PASSWORD": "s3cret",
}


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform whose person set variables for an external Kafka."""
    for name in INFRASTRUCTURE:
        monkeypatch.setenv(name, "external")
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    platform = Platform(var=tmp_path / "var")
    platform.make_folders()
    return platform


def kafka_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in VARIABLES if environment.get(name)}


def test_the_embedded_broker_is_reached_in_the_clear(platform: Platform) -> None:
    """Seen failing (SASL_SSL) while the environment of the embedded infrastructure inherited these variables."""
    environment = service_environment("gateway", platform, Vault(platform))
    assert kafka_variables(environment) == {}
    assert security(environment) == {"security.protocol": "PLAINTEXT"}


def test_an_external_broker_is_reached_as_the_person_says(platform: Platform) -> None:
    for service in ("users", "gateway"):
        environment = service_environment(service, platform, Vault(platform), external=True)
        assert kafka_variables(environment) == GIVEN
