"""Drift: what differs between the declared topics and the broker's."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from bookings_service.tests.commands import last, run
from shared.events import DEAD_LETTER_TOPICS, TOPICS, topic_name
from shared.kafka import topics
from shared.settings.env import env

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]

DECLARED = len(TOPICS) + len(DEAD_LETTER_TOPICS)


@pytest.fixture
def without() -> Iterator[str]:
    """A dead-letter topic of the run that was deleted."""
    admin, name = (
        AdminClient({"bootstrap.servers": env.str("KAFKA_BOOTSTRAP_SERVERS")}),
        topic_name(DEAD_LETTER_TOPICS[0].name),
    )
    admin.delete_topics([name], operation_timeout=20)[name].result(20)
    yield name
    topics.declare()


def test_topics_as_declared_are_no_drift() -> None:
    assert topics.drift() == []
    assert run("declare_topics") == (0, f"{DECLARED} topics are declared; 0 differ.\n")


def test_a_missing_topic_is_drift_until_it_is_made(without: str) -> None:
    assert topics.drift() == [topics.Drift(topic=without, declared=1, partitions=None)]
    code, output = run("declare_topics")
    assert (code, last(output)) == (1, "Add --apply to make the missing topics.")

    code, output = run("declare_topics", "--apply")

    assert (code, f"made {without}" in output) == (0, True)
    assert topics.drift() == []


def test_other_partitions_are_drift_that_no_command_mends() -> None:
    name = topic_name("travel.destinations.destination")
    declared = next(topic for topic in TOPICS if topic_name(topic.name) == name)
    wanted = (replace(declared, partitions=5), replace(declared, partitions=7))

    fewer, more = (topics.drift([topic])[0] for topic in wanted)

    assert fewer.problem == f"The topic {name} has 6 partitions, and 5 are declared."
    assert more.problem == f"The topic {name} has 6 partitions, and 7 are declared."
    assert (fewer.remedy, more.remedy) == ("", "")


def test_the_check_says_what_to_type(without: str) -> None:
    """`doctor` reads these lines."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.kafka.topics", "--check"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).resolve().parents[4],
    )  # fmt: skip

    assert done.stdout == f"The topic {without} is missing.\t./manage_all.py manage bookings declare_topics --apply\n"
    assert done.returncode == 1


def test_a_relay_warns_of_drift(caplog: pytest.LogCaptureFixture) -> None:
    topics.warn_of_drift([replace(TOPICS[0], name="travel.never.declared")])

    assert "topic_drift" in caplog.text
    assert topic_name("travel.never.declared") in caplog.text


def test_a_service_checks_the_topics_that_it_uses() -> None:
    assert [topic.name for topic in topics.of_service("users")] == ["travel.users.user", "travel.users.signing_key"]
    assert [topic.name for topic in topics.of_consumer("bookings")] == [
        "travel.destinations.departure",
        "travel.destinations.departure.bookings.dlq",
    ]
