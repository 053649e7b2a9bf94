"""Twelve kinds of records that no release can handle, as `Poison` puts them among good ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from confluent_kafka import Producer

from notifications_service.tests.factories import confirmed, envelope
from shared.cloudevents import Envelope
from shared.events import topic_name
from shared.ids import uuid7
from shared.testing.kafka_wire import put_raw

BOOKING: Final = "travel.bookings.booking"
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Poison:
    """A kind of bad record: how it differs from a good event, and how often the consumer may try it."""

    name: str
    event: Callable[[Envelope], Envelope] = lambda event: event
    headers: Callable[[Headers], Headers] = lambda headers: headers
    raw_header: bytes = b""
    no_value: bool = False
    attempts: int = 1

    def put(self, producer: Producer, *, key: str) -> None:
        """Put a record of this kind on the topic of bookings. Does not wait for the broker, unless it must be raw."""
        event = self.event(good(key=key, sequence=1))
        headers = self.headers(event.headers())
        if self.raw_header:
            names = [(name.encode(), value) for name, value in headers]
            put_raw(BOOKING, key=key.encode(), value=event.value, headers=[*names, (self.raw_header, b"1")])
            return
        value = None if self.no_value else event.value
        producer.produce(topic_name(BOOKING), key=key.encode(), value=value, headers=headers)


def good(*, key: str, sequence: int) -> Envelope:
    """Return a good event of the booking `key`."""
    return envelope(confirmed(uuid7(), booking_id=key), key=key, sequence=sequence)


def _header(name: str, value: bytes) -> Callable[[Headers], Headers]:
    return lambda headers: [*((other, old) for other, old in headers if other != name), (name, value)]


def _value(value: bytes) -> Callable[[Envelope], Envelope]:
    return lambda event: replace(event, value=value)


HANDLER_FAILS: Final = Poison("its handler always fails", attempts=5)
KINDS: Final = (
    Poison("a header name that is not UTF-8", raw_header=b"ce_\xff"),
    Poison("no value", no_value=True),
    Poison("no JSON", event=_value(b"\x00\xff")),
    Poison("nested 100,000 deep", event=_value(b'{"booking":' * 50_000 + b"1" + b"}" * 50_000)),
    Poison("a number of 10,000 digits", event=_value(b'{"booking": {"seats": ' + b"9" * 10_000 + b"}}")),
    Poison("the character NUL", event=_value(b'{"booking": {"reference": "\\u0000"}}')),
    Poison("a sequence of 400 digits", headers=_header("ce_sequence", b"9" * 400)),
    Poison("the year 99999", headers=_header("ce_time", b"99999-01-01T00:00:00Z")),
    Poison("another subject than its key", headers=_header("ce_subject", b"another")),
    Poison("a type of another topic", headers=_header("ce_type", b"travel.bookings.waitlist.offered.v1")),
    Poison("a type twice", headers=lambda headers: [*headers, ("ce_type", b"x")] + [("x", b"1")] * 10_000),
    HANDLER_FAILS,
)
