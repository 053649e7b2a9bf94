"""What a failure means to a consumer: a dependency is unavailable (wait), or the deploy is at fault (stop).

Any other failure counts as an attempt, and after the last attempt the event becomes a dead letter.
"""

from typing import Final

from confluent_kafka import KafkaError, KafkaException
from django.db import InterfaceError, OperationalError, ProgrammingError

from shared.db import sqlstate
from shared.errors import DeadlineExceeded, Unavailable

# SQLSTATE classes: connection exceptions, insufficient resources, operator intervention except a cancelled query.
_UNAVAILABLE_CLASSES: Final = ("08", "53", "57P")


class BrokerUnavailable(Exception):
    """Kafka did not take a message in time."""


def is_unavailable(error: BaseException) -> bool:
    """Return whether `error` shows that a dependency is unavailable: waiting helps, and no message is at fault."""
    if isinstance(error, Unavailable | DeadlineExceeded | BrokerUnavailable | InterfaceError):
        return True
    if isinstance(error, OperationalError):
        state = sqlstate(error)
        return state is None or state.startswith(_UNAVAILABLE_CLASSES)
    if isinstance(error, KafkaException):
        return is_transient(error.args[0])
    return False


def is_deploy_fault(error: BaseException) -> bool:
    """Return whether `error` shows a bad deploy, whatever the message: a table or column is missing."""
    return isinstance(error, ProgrammingError) and (sqlstate(error) or "").startswith("42")


def is_transient(error: KafkaError) -> bool:
    """Return whether a Kafka error passes by itself while the client keeps trying."""
    return not error.fatal() and error.code() not in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
    )
