"""Declares every topic of the platform, dead letters included: `python -m shared.kafka.topics`. Reports drift.

Drift is what differs between the topics that the code declares and the topics of the broker. With `--check` the program
changes nothing. It prints each difference and what to type, separated by a tab, and ends with 1 if there is one.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from shared.events import CONSUMERS, DEAD_LETTER_TOPICS, TOPICS, Topic, topic_name
from shared.kafka.clients import admin

DECLARED: Final = (*TOPICS, *DEAD_LETTER_TOPICS)
DECLARE: Final = "./manage_all.py manage bookings declare_topics --apply"
_ANSWER_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drift:
    """A topic that differs from its declaration. `partitions` is None if the topic is missing."""

    topic: str
    declared: int
    partitions: int | None

    @property
    def problem(self) -> str:
        """What is wrong, in one sentence."""
        if self.partitions is None:
            return f"The topic {self.topic} is missing."
        return f"The topic {self.topic} has {self.partitions} partitions, and {self.declared} are declared."

    @property
    def remedy(self) -> str:
        """What to type, or an empty string: more partitions would break the order of keys that have events already."""
        return DECLARE if self.partitions is None else ""


def of_service(name: str) -> list[Topic]:
    """Return the topics on which the service publishes."""
    return [topic for topic in TOPICS if topic.name.split(".")[1] == name]


def of_consumer(name: str) -> list[Topic]:
    """Return the topics that the service consumes, and those of its dead letters."""
    consumed = CONSUMERS.get(name, ())
    return [topic for topic in DECLARED if topic in consumed or topic.name.endswith(f".{name}.dlq")]


def declare() -> list[str]:
    """Create the missing topics and return their names. Raises KafkaException if the broker refuses a topic."""
    wanted = [
        NewTopic(topic_name(topic.name), num_partitions=topic.partitions, replication_factor=-1) for topic in DECLARED
    ]
    created = []
    client = admin()  # it must live until the answers have come, otherwise it breaks the requests off
    for name, future in client.create_topics(wanted, operation_timeout=20).items():
        try:
            future.result(timeout=30)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


def drift(topics: Iterable[Topic] = DECLARED) -> list[Drift]:
    """Return the topics that differ from their declaration. Raises KafkaException if the broker does not answer."""
    known = admin().list_topics(timeout=_ANSWER_SECONDS).topics
    found = []
    for topic in topics:
        name = topic_name(topic.name)
        partitions = len(known[name].partitions) if name in known else None
        if partitions != topic.partitions:
            found.append(Drift(topic=name, declared=topic.partitions, partitions=partitions))
    return found


def warn_of_drift(topics: Iterable[Topic] = DECLARED) -> None:
    """Log a warning for each topic that differs from its declaration. Never raises because of the broker."""
    try:
        for difference in drift(topics):
            log.warning("topic_drift", problem=difference.problem, remedy=difference.remedy)
    except KafkaException as error:
        log.warning("topics_not_checked", cause=str(error))


def _check() -> int:
    try:
        found = drift()
    except KafkaException as error:
        sys.stderr.write(f"Kafka does not answer: {error.args[0].str()}\n")
        return 2
    sys.stdout.write("".join(f"{difference.problem}\t{difference.remedy}\n" for difference in found))
    return 1 if found else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(_check())
    sys.stdout.write("".join(f"made {name}\n" for name in declare()))
