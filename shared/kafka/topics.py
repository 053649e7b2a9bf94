"""Declares every topic of the platform, dead letters included: `python -m shared.kafka.topics`."""

import sys

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from shared.events import DEAD_LETTER_TOPICS, TOPICS, topic_name
from shared.kafka.clients import admin


def declare() -> list[str]:
    """Create the missing topics and return their names. Raises KafkaException if the broker refuses a topic."""
    wanted = [
        NewTopic(topic_name(topic.name), num_partitions=topic.partitions, replication_factor=-1)
        for topic in (*TOPICS, *DEAD_LETTER_TOPICS)
    ]
    created = []
    for name, future in admin().create_topics(wanted, operation_timeout=20).items():
        try:
            future.result(timeout=30)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


if __name__ == "__main__":
    sys.stdout.write("".join(f"made {name}\n" for name in declare()))
