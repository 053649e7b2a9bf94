"""What a failure means to a consumer, and how a record of any bytes is read."""

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError

from shared.cloudevents import BadEvent
from shared.errors import Conflict, DeadlineExceeded, Unavailable
from shared.kafka.outcomes import BrokerUnavailable, is_schema_behind, is_unavailable
from shared.kafka.records import Record, event_of, printable


def caused(error: Exception, sqlstate: str | None) -> Exception:
    """Return `error` as Django raises it over a psycopg error with this SQLSTATE."""
    cause = Exception()
    cause.sqlstate = sqlstate
    error.__cause__ = cause
    return error


UNAVAILABLE = [
    caused(OperationalError(), None),
    caused(OperationalError(), "08006"),
    caused(OperationalError(), "53300"),
    caused(OperationalError(), "57P01"),
    caused(OperationalError(), "57P03"),
    caused(InternalError(), "25P03"),
    InterfaceError(),
    Unavailable(),
    DeadlineExceeded(),
    BrokerUnavailable(),
    KafkaException(KafkaError(KafkaError._TRANSPORT)),
]
ATTEMPTS = [
    caused(OperationalError(), "57014"),
    caused(OperationalError(), "40P01"),
    caused(OperationalError(), "55P03"),
    caused(ProgrammingError(), "42601"),
    caused(InternalError(), "XX000"),
    IntegrityError(),
    Conflict(),
    ValueError(),
]


@pytest.mark.parametrize("error", UNAVAILABLE, ids=repr)
def test_the_consumer_waits_for_an_unavailable_dependency(error):
    assert is_unavailable(error)


@pytest.mark.parametrize("error", ATTEMPTS, ids=repr)
def test_other_failures_count_as_attempts(error):
    """A cancelled statement, a deadlock and a lock timeout are attempts.

    The consumer must not wait for ever for one message.
    """
    assert not is_unavailable(error)


@pytest.mark.parametrize("state", ["42P01", "42703", "42501"])
def test_the_consumer_waits_for_a_missing_migration(state):
    """Seen failing when a missing table ended the process, which the supervisor then started again and again."""
    assert is_schema_behind(caused(ProgrammingError(), state))
    assert is_unavailable(caused(ProgrammingError(), state))


def test_any_bytes_become_text_that_a_database_can_store():
    assert printable(b"a\x00\xff\n\xe2\x80\xae") == "a\\x00\\xff\\x0a\\x202e"


def record(**fields: object) -> Record:
    """Return a record without the headers of an event."""
    return Record(**{"topic": "t", "partition": 0, "offset": 0, "key": "k", "headers": [], "value": b"{}", **fields})


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_id", b"")],
        [("ce_id", b"x" * 256), ("ce_type", b"t"), ("ce_source", b"s"), ("ce_specversion", b"1.0")],
        [("ce_id", b"a\x00"), ("ce_type", b"t"), ("ce_source", b"s"), ("ce_specversion", b"1.0")],
    ],
)
def test_a_record_without_the_headers_of_an_event_is_bad(headers):
    with pytest.raises(BadEvent):
        event_of(record(headers=headers))
