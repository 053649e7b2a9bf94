"""Batches that the client cannot decompress or parse, though the broker took them: an offset is given up.

The client asks for such a batch again and again, so nothing behind it would ever be read. A compressed batch of a few
kilobytes that is larger than 100 MB when it is decompressed is one.
"""

from collections import Counter
from contextlib import suppress
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

log = structlog.get_logger(__name__)

TRIES: Final = 3
_CODES: Final = frozenset(
    {KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG, KafkaError._UNDERFLOW, KafkaError.INVALID_MSG}
)


def is_unreadable(error: KafkaError) -> bool:
    """Return whether a polled error is about a batch that cannot be read."""
    return error.code() in _CODES


class Unreadable:
    """Counts how often each offset could not be read. Use it in the thread that polls."""

    def __init__(self) -> None:
        self._failures: Counter[tuple[str, int, int]] = Counter()

    def give_up(self, consumer: Consumer, message: Message) -> bool:
        """Return whether the offset of `message` failed TRIES times. If so, `consumer` goes on behind it.

        Only this offset is skipped: the other records of the batch fail in their turn.
        """
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        self._failures[topic, partition, offset] += 1
        if self._failures[topic, partition, offset] < TRIES:
            return False
        self._failures.clear()
        with suppress(KafkaException):  # the partition is gone, and its next owner gives the offset up
            consumer.seek(TopicPartition(topic, partition, offset + 1))
        log.error("alarm:record_unreadable", topic=topic, partition=partition, offset=offset)
        return True
