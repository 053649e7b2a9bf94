"""How far each consumer is behind its topics: `python -m shared.kafka.state` prints it as JSON for the launcher."""

import json
import sys
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from shared.events import CONSUMERS, topic_name
from shared.kafka.clients import group_consumer

ANSWER_SECONDS: Final = 2.0


def lag(consumer: str) -> int:
    """Return how many records of its topics the consumer has yet to take.

    A partition without a committed offset counts from its first record. The client that asks does not join the group.
    Raises KafkaException if the broker does not answer.
    """
    client = group_consumer(consumer, **{"log_level": 0, "client.id": f"{consumer}.lag"})
    with closing(client):
        partitions = _partitions(client, [topic_name(topic.name) for topic in CONSUMERS[consumer]])
        committed = client.committed(partitions, timeout=ANSWER_SECONDS) if partitions else []
        return sum(_behind(client, place) for place in committed)


def _partitions(client: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    known = client.list_topics(timeout=ANSWER_SECONDS).topics
    return [TopicPartition(name, number) for name in topics if name in known for number in known[name].partitions]


def _behind(client: Consumer, committed: TopicPartition) -> int:
    offsets = client.get_watermark_offsets(committed, timeout=ANSWER_SECONDS)
    if offsets is None:
        raise KafkaException("the broker does not answer")
    first, end = offsets
    return max(0, end - max(committed.offset, first))


if __name__ == "__main__":
    try:
        lags = {name: lag(name) for name in CONSUMERS}
    except KafkaException as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps({"lag": lags}) + "\n")
