"""Whatever a record holds, it is an event, an event of an unknown type, or refused with the reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.travel.events.v1 import bookings_pb2
from shared.cloudevents import BadEvent, Envelope
from shared.events import topic_name
from shared.kafka.records import Record, event_of

CONFIRMED = "travel.bookings.booking.confirmed.v1"
TOPIC = "travel.bookings.booking"


def record(
    *more_headers: tuple[str, bytes], topic: str = TOPIC, record_key: str | None = None, **fields: Any
) -> Record:
    """Return the record of a confirmation. `more_headers` follow its own, or replace them if they have the same name."""
    envelope = Envelope(
        **{
            "id": "01",
            "type": CONFIRMED,
            "source": "bookings",
            "key": "k",
            "sequence": 3,
            "occurred_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "value": b"{}",
            **fields,
        }
    )
    headers = {**dict(envelope.headers()), **dict(more_headers)}
    return Record(
        topic=topic_name(topic),
        partition=0,
        offset=0,
        key=envelope.key if record_key is None else record_key,
        headers=list(headers.items()),
        value=envelope.value,
    )


def snapshot(json: bytes) -> bytes:
    """Return the value of a confirmation whose booking has these fields."""
    return b'{"booking": {' + json + b"}}"


BAD = {
    "tombstone": (record(value=None), "no value"),
    "5 MB": (record(value=b'{"x": "' + b"y" * 5_000_000 + b'"}'), "value of 5000009 bytes"),
    "sequence of 400 digits": (record(("ce_sequence", b"9" * 400)), "malformed ce_sequence"),
    "sequence of 5,000 digits": (record(("ce_sequence", b"9" * 5_000)), "malformed ce_sequence"),
    "sequence over 64 bits": (record(("ce_sequence", b"9223372036854775808")), "malformed ce_sequence"),
    "negative sequence": (record(("ce_sequence", b"-1")), "malformed ce_sequence"),
    "sequence with underscore": (record(("ce_sequence", b"1_0")), "malformed ce_sequence"),
    "year 99999": (record(("ce_time", b"99999-01-01T00:00:00Z")), "malformed ce_time"),
    "before the year 1 in UTC": (record(("ce_time", b"0001-01-01T00:00:00+14:00")), "malformed ce_time"),
    "offset of 25 hours": (record(("ce_time", b"2026-01-01T00:00:00+25:00")), "malformed ce_time"),
    "empty time": (record(("ce_time", b"")), "malformed ce_time"),
    "attribute not UTF-8": (record(("ce_other", b"\xff")), "header 'ce_other' is not UTF-8"),
    "empty value": (record(value=b""), "no JSON object"),
    "nested 100,000 deep": (record(value=b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "does not fit"),
    "lists nested 800,000 deep": (record(value=b'{"a":' + b"[" * 800_000), "does not fit"),
    "NaN": (record(value=snapshot(b'"seats": NaN')), "does not fit"),
    "infinity": (record(value=snapshot(b'"seats": Infinity')), "does not fit"),
    "number of 10,000 digits": (record(value=snapshot(b'"seats": ' + b"9" * 10_000)), "does not fit"),
    "int64 of 10,000 digits": (
        record(value=snapshot(b'"total": {"minor_units": "' + b"9" * 10_000 + b'"}')),
        "does not fit",
    ),
    "10^30 cents": (record(value=snapshot(b'"total": {"minor_units": "1' + b"0" * 30 + b'"}')), "does not fit"),
    "1e400": (record(value=snapshot(b'"seats": 1e400')), "does not fit"),
    "year 99999 in the message": (record(value=snapshot(b'"starts_at": "99999-01-01T00:00:00Z"')), "does not fit"),
    "year 0 in the message": (record(value=snapshot(b'"starts_at": "0000-01-01T00:00:00Z"')), "does not fit"),
    "before the year 1": (record(value=snapshot(b'"starts_at": "0001-01-01T00:00:00+14:00"')), "does not fit"),
    "half a surrogate pair": (record(value=snapshot(b'"reference": "\\ud800"')), "does not fit"),
    "NUL in a text": (record(value=snapshot(b'"reference": "a\\u0000"')), "the character NUL"),
    "NUL after backslashes": (record(value=snapshot(b'"reference": "\\\\\\u0000"')), "the character NUL"),
    "two values of a field": (record(value=b'{"booking": {}, "booking": 7}'), "does not fit"),
    "no key": (record(key=""), "no key"),
    "no key, but a subject": (record(record_key=""), "no key"),
    "key of 300 characters": (record(key="x" * 300, record_key="x" * 255), "is not the key"),
    "key with NUL": (record(("ce_subject", b"a\x00b"), record_key="a\\x00b"), "is not the key"),
    "subject of another key": (record(("ce_subject", b"other")), "ce_subject 'other' is not the key 'k'"),
    "empty subject": (record(("ce_subject", b"")), "is not the key"),
    "type of another topic": (record(topic="travel.bookings.waitlist"), "does not belong on"),
    "type of another service": (record(topic="travel.users.user"), "does not belong on"),
    "unknown type of another service": (record(type="travel.users.user.sold.v1"), "does not belong on"),
    "source of another service": (record(source="users"), "ce_source 'users' does not publish"),
    "unknown type of another source": (
        record(type="travel.bookings.booking.sold.v1", source="users"),
        "ce_source 'users' does not publish",
    ),
    "malformed type": (record(type="booking.confirmed"), "malformed ce_type"),
    "type without version": (record(type="travel.bookings.booking.confirmed"), "malformed ce_type"),
    "type with a line break": (record(type=CONFIRMED + "\n"), "malformed ce_type"),
    "type of 300 characters": (record(type=f"travel.bookings.booking.{'x' * 300}.v1"), "malformed ce_type"),
    "type of version 0": (record(type="travel.bookings.booking.confirmed.v0"), "malformed ce_type"),
}


@pytest.mark.parametrize(("bad", "complaint"), BAD.values(), ids=BAD)
def test_a_bad_record_is_refused_with_the_reason(bad, complaint):
    """Seen failing for the sequences, the times, keys, subjects, topics, sources and types without their checks.

    Without them an event of another aggregate took effect, and a sequence of 400 digits failed in the database.
    """
    with pytest.raises(BadEvent, match=complaint):
        event_of(bad)


def test_an_attribute_that_occurs_twice_is_refused():
    """Seen failing without the check: the last value counted for the event and the first for its dead letter."""
    twice = record()
    twice = Record(**{name: getattr(twice, name) for name in ("topic", "partition", "offset", "key", "value")},
                   headers=[*twice.headers, ("ce_type", b"travel.bookings.booking.created.v1")])  # fmt: skip

    with pytest.raises(BadEvent, match="header 'ce_type' more than once"):
        event_of(twice)


ODD = {
    "10,000 headers": record(*((f"x-{number}", b"1") for number in range(10_000))),
    "foreign headers of any bytes": record(("tracing", b"\xff\x00"), ("", b""), ("a\x00", b"\x00")),
    "trace and request id of any text": record(("traceparent", b"\n"), ("x-request-id", b"y" * 5_000)),
    "time with an odd offset": record(("ce_time", b"2026-01-01T00:00:00.5-23:59")),
    "time without a zone": record(("ce_time", b"2026-01-01T00:00:00")),
    "the last sequence": record(("ce_sequence", b"9223372036854775807")),
    "unknown fields": record(value=b'{"new": NaN, "booking": {"newer": [1, {"x": 1e999}]}}'),
    "unknown value of an enum": record(value=snapshot(b'"state": "BOOKING_STATE_NEW"')),
    "unknown number of an enum": record(value=snapshot(b'"state": 4711')),
    "a text that looks like NUL": record(value=snapshot(b'"reference": "\\\\u0000"')),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_record_is_an_event(odd):
    """Seen failing (a header is not UTF-8) for foreign headers when every header had to be UTF-8."""
    envelope, message = event_of(odd)

    assert envelope.occurred_at.tzinfo is UTC
    assert isinstance(message, bookings_pb2.BookingConfirmed)


@pytest.mark.parametrize("type_", ["travel.bookings.booking.sold.v1", "travel.bookings.booking.confirmed.v2"])
def test_an_unknown_type_has_no_message(type_):
    envelope, message = event_of(record(type=type_, value=b"any"))

    assert (envelope.type, message) == (type_, None)
