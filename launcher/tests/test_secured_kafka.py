"""Every Kafka client of the platform over TLS and SASL, and what a wrong password or certificate does."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from launcher.infrastructure import kafka
from launcher.platform import Platform
from launcher.refusal import Refusal
from launcher.tests.secured_broker import SecuredBroker, secured_broker
from shared.events import TOPICS
from shared.kafka import clients
from shared.kafka.probe import BrokerProbe
from shared.kafka.topics import declare
from shared.testing.kafka import consume_until, put, topic_prefix
from shared.testing.patience import eventually

WAYS = [
    ("SSL", {}),
    ("SASL_PLAINTEXT", {"KAFKA_SASL_MECHANISM": "PLAIN"}),
    ("SASL_PLAINTEXT", {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}),
    ("SASL_SSL", {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clients, "_last_logged", -clients._LOG_SECONDS)


@pytest.mark.parametrize(("protocol", "changes"), WAYS, ids=lambda value: str(value))
def test_every_client_signs_in(
    broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch, protocol: str, changes: dict[str, str]
) -> None:
    """The launcher's, the admin client, a producer, a consumer with a group, and the probe.

    Seen failing (no answer) without the settings of shared/settings/kafka.py.
    """
    environment = broker.environment(protocol, **changes)
    use(monkeypatch, environment)
    topic, prefix = TOPICS[0].name, f"{protocol}.{'.'.join(changes.values())}."

    kafka.make_topics(environment, {"travel.launcher": 1})
    assert kafka.ready(environment)
    with topic_prefix(prefix):
        assert f"{prefix}{topic}" in declare()
        assert answered()
        put(topic, key=b"k", value=b"v")
        assert [record.value() for record in consume_until(topic, 1)] == [b"v"]
        consumer = clients.group_consumer("travel-test")
        consumer.subscribe([f"{prefix}{topic}"])
        assert eventually(lambda: consumer.poll(0.5), timeout=20).value() == b"v"
        consumer.close()


def answered() -> bool:
    """Return whether a probe of this process's own gets an answer."""
    probe = BrokerProbe("test")
    probe.start()
    try:
        return probe.wait(answers=True, seconds=10)
    finally:
        probe.stop()
        probe.join(5)


WRONG = [
    ("SASL_PLAINTEXT", {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_PASSWORD": "wrong"}, "Authentication failed"),
    ("SASL_SSL", {"KAFKA_SASL_PASSWORD": "wrong"}, "Authentication failed"),
    ("SASL_SSL", {"KAFKA_CA_FILE": ""}, "certificate verify failed"),
]


@pytest.mark.parametrize(("protocol", "changes", "cause"), WRONG, ids=["plain", "scram", "unknown authority"])
def test_a_refused_sign_in_is_an_alarm_and_the_client_keeps_trying(
    broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch, protocol: str, changes: dict[str, str], cause: str
) -> None:
    """The broker counts as silent. One error says why, and does not hold the password.

    Seen failing (no error in the log) without `client.poll` in the probe.
    """
    use(monkeypatch, broker.environment(protocol, **changes))
    probe = BrokerProbe("test")
    with capture_logs() as logs:
        probe.start()
        eventually(lambda: [entry for entry in logs if entry["event"] == "alarm:kafka_sign_in_refused"])
        assert not probe.wait(answers=True, seconds=3)
        assert probe._thread.is_alive()
        probe.stop()
        probe.join(5)
    refusals = [entry for entry in logs if entry["event"] == "alarm:kafka_sign_in_refused"]
    assert len(refusals) == 1
    assert refusals[0]["log_level"] == "error"
    assert cause in refusals[0]["cause"]
    assert "wrong" not in refusals[0]["cause"]


def test_a_frozen_broker_is_noticed_over_tls(broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is stopped for longer than every time-out of the probe's client."""
    use(monkeypatch, broker.environment("SASL_SSL"))
    probe = BrokerProbe("test")
    probe.start()
    assert probe.wait(answers=True, seconds=10)
    with broker.frozen():
        assert probe.wait(answers=False, seconds=3.0)
        assert not probe.wait(answers=True, seconds=6)
    assert probe.wait(answers=True, seconds=3.0)
    probe.stop()
    probe.join(5)


def test_the_launcher_says_why_the_broker_refuses(broker: SecuredBroker) -> None:
    """Seen failing (a traceback) without the `try` in kafka.make_topics."""
    with pytest.raises(Refusal, match="Authentication failed"):
        kafka.make_topics(broker.environment("SASL_SSL", KAFKA_SASL_PASSWORD="wrong"), {"travel.x": 1})
    with pytest.raises(Refusal, match="KAFKA_SASL_PASSWORD is not set"):
        kafka.make_topics(broker.environment("SASL_SSL", KAFKA_SASL_PASSWORD=""), {"travel.x": 1})


def test_the_command_that_declares_topics_signs_in(broker: SecuredBroker) -> None:
    """As the container `topics` does."""
    environment = {
        **broker.environment("SASL_SSL"),
        "KAFKA_TOPIC_PREFIX": "declared.",
        "PYTHONPATH": str(Platform.root),
    }
    done = subprocess.run(
        [sys.executable, "-m", "shared.kafka.topics"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"made declared.{TOPICS[0].name}\n" in done.stdout
