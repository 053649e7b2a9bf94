"""What a failure means to a consumer: wait, because a dependency or the database's schema is not ready, or try again.

NeedsUpgrade and BadEvent say more: the event waits for a newer release, or it is a dead letter immediately. Any other
failure counts as an attempt, and after the last attempt the event becomes a dead letter.
"""

from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError

from shared.db import sqlstate
from shared.errors import DeadlineExceeded, Unavailable

# SQLSTATE classes: connection exceptions, insufficient resources, operator intervention except a cancelled query.
_UNAVAILABLE_CLASSES: Final = ("08", "53", "57P")
_FROZEN: Final = "25P03"  # PostgreSQL ended a transaction that sent nothing: this process was frozen
# No table, column, type or other object, function, schema; no right.
_SCHEMA_BEHIND: Final = ("42P01", "42703", "42704", "42883", "3F000", "42501")

log = structlog.get_logger(__name__)


class BrokerUnavailable(Exception):
    """Kafka did not take a message in time."""


class NeedsUpgrade(Exception):
    """This release does not know the event's type, or a value in it, and skipping it would lose an effect.

    The event waits as a dead letter that the consumer retries by itself when a release starts that knows the type.
    """


def is_unavailable(error: BaseException) -> bool:
    """Return whether waiting helps and no message is at fault: a dependency is away, or a migration is missing."""
    if isinstance(error, Unavailable | DeadlineExceeded | BrokerUnavailable | InterfaceError):
        return True
    if isinstance(error, OperationalError):
        state = sqlstate(error)
        return state is None or state.startswith(_UNAVAILABLE_CLASSES)
    if isinstance(error, InternalError):
        return sqlstate(error) == _FROZEN
    if isinstance(error, KafkaException):
        return is_transient(error.args[0])
    return is_schema_behind(error)


def is_schema_behind(error: BaseException) -> bool:
    """Return whether a table, a column or a right is missing in the database. A migration or a grant adds it.

    The process waits for that. To stop would only restart it, again and again, and to try the event would make a dead
    letter of every event. Other errors in SQL, such as its syntax, are failures of the one handler.
    """
    return isinstance(error, ProgrammingError) and sqlstate(error) in _SCHEMA_BEHIND


def log_unavailable(error: BaseException, *, consumer: str) -> None:
    """Log why the consumer waits: as an alarm if somebody must migrate the database."""
    cause = f"{type(error).__name__}: {error}"[:500]
    if is_schema_behind(error):
        log.error("alarm:schema_behind", consumer=consumer, cause=cause)
    else:
        log.warning("dependency_unavailable", consumer=consumer, cause=cause)


def is_transient(error: KafkaError) -> bool:
    """Return whether a Kafka error passes by itself while the client keeps trying."""
    return not error.fatal() and error.code() not in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
    )
