"""What a failure means to a consumer: something is away (wait), the message is bad (bury it), or we are bad (stop)."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException
from django.db import InterfaceError, OperationalError, ProgrammingError

from shared.errors import DeadlineExceeded, Unavailable

# SQLSTATE classes: connection exceptions, insufficient resources, operator intervention but for a cancelled query.
_AWAY_CLASSES: Final = ("08", "53", "57P")


class BrokerAway(Exception):
    """Kafka did not take a message in time."""


def is_away(error: BaseException) -> bool:
    """Return whether `error` says that a dependency is away: waiting heals it, and no message is at fault."""
    if isinstance(error, Unavailable | DeadlineExceeded | BrokerAway | InterfaceError):
        return True
    if isinstance(error, OperationalError):
        state = sqlstate(error)
        return state is None or state.startswith(_AWAY_CLASSES)
    if isinstance(error, KafkaException):
        return is_passing(error.args[0])
    return False


def is_ours(error: BaseException) -> bool:
    """Return whether `error` says that this deploy is bad, whatever the message: a table or column is missing."""
    return isinstance(error, ProgrammingError) and (sqlstate(error) or "").startswith("42")


def is_passing(error: KafkaError) -> bool:
    """Return whether a Kafka error heals by itself: the client goes on trying."""
    return not error.fatal() and error.code() not in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
    )


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of a Django database error, None where the server never answered."""
    return getattr(error.__cause__, "sqlstate", None)
