"""What a broker's answer about a row means: whose fault a failure is, and what the relay does about it."""

from enum import Enum
from typing import Any, Final

from confluent_kafka import KafkaError


class Fault(Enum):
    """Who is at fault. A row's fault never passes. A topic's fault passes, and other topics are not affected."""

    ROW = "row"
    TOPIC = "topic"
    PRODUCER = "producer"


_OF_THE_ROW: Final = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError._BAD_MSG,
        KafkaError._INVALID_ARG,
    }
)
# The producer is of no more use. The rows are sent by a new one.
_OF_THE_PRODUCER: Final = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
        KafkaError._DESTROY,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.UNKNOWN_PRODUCER_ID,
    }
)


def fault_of(error: Any) -> Fault:
    """Return who is at fault for `error`, a KafkaError of a delivery report or of `produce`.

    An error that is not known counts as the topic's: it is tried again, and nothing is lost.
    """
    code = error.code()
    if code in _OF_THE_ROW:
        return Fault.ROW
    if code in _OF_THE_PRODUCER or error.fatal():
        return Fault.PRODUCER
    return Fault.TOPIC


def cause_of(error: Any) -> str:
    """Return what is written about a row that was refused: the error's name and text."""
    return f"{error.name()}: {error.str()}"
