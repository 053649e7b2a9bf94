"""A Kafka record as the consumer and the dead letters keep it, and the checked event in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Final

from confluent_kafka import Message as KafkaMessage
from google.protobuf.message import Message

from shared.cloudevents import BadEvent, Envelope, decode
from shared.events import event_type, message_class, topic_name

_MAX_ATTRIBUTE: Final = 255  # what the inbox's columns hold
_MOST_BYTES: Final = 4 * 1024 * 1024  # of a value, and of all headers
_HEADER_COST: Final = 100  # what a header takes beside its bytes
_TYPE: Final = re.compile(r"travel\.(?P<service>[a-z]+)(?:\.[a-z0-9_]+){2}\.v[1-9][0-9]*", re.ASCII)
_checked_headers: Final = methodcaller("headers")


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it was in Kafka.

    `topic` is the full name; a database can store `key` as text, whatever its bytes were.

    `defect` says why the headers cannot be read, and then there are none. It is empty for a readable record.
    """

    topic: str
    partition: int
    offset: int
    key: str
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    defect: str = ""

    @classmethod
    def of(cls, message: KafkaMessage) -> "Record":
        """Return `message` as a record.

        Never raises because of what the record contains. Call it once for a message.

        A compressed record may be hundreds of times larger than the broker's limit, and than a database takes. Of such
        a record, only the first _MOST_BYTES are kept.
        """
        headers, defect = [], ""
        try:
            headers = headers_of(message)
        except BadEvent as bad:
            defect = str(bad)
        if sum(len(name) + len(value) + _HEADER_COST for name, value in headers) > _MOST_BYTES:
            headers, defect = [], f"headers of more than {_MOST_BYTES} bytes"
        value = _bytes(message.value())
        if value is not None and len(value) > _MOST_BYTES:
            defect = defect or f"value of {len(value)} bytes, of which the first {_MOST_BYTES} are kept"
            value = value[:_MOST_BYTES]
        return cls(
            topic=message.topic() or "",
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            key=printable(_bytes(message.key()) or b"", longest=_MAX_ATTRIBUTE),
            headers=headers,
            value=value,
            defect=defect,
        )

    @classmethod
    def without_content(cls, message: KafkaMessage, *, defect: str) -> "Record":
        """Return the record at the place of an error `message` that says why it cannot be read."""
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        return cls(topic=topic, partition=partition, offset=offset, key="", headers=[], value=None, defect=defect)

    def whole_attribute(self, name: str) -> str:
        """Return the header `name` if a column holds it unchanged, otherwise an empty text."""
        text = self.attribute(name)
        return text if any(key == name and value == text.encode() for key, value in self.headers) else ""

    def attribute(self, name: str) -> str:
        """Return the header `name` as text for a column or a log line, or an empty text if it is missing."""
        return next((printable(value, longest=_MAX_ATTRIBUTE) for key, value in self.headers if key == name), "")


def headers_of(message: KafkaMessage) -> list[tuple[str, bytes]]:
    """Return the headers of `message`. Call it once for a message.

    For a name that is not UTF-8 the client returns a list that holds a null pointer, and leaves an exception pending.
    Python turns that into SystemError, but not for a call in code that has run often: then the list arrives, and
    reading it ends the process. The checked call of `methodcaller` raises every time. A second call would return the
    list again, without an exception.

    Raises BadEvent if a header's name is not UTF-8.
    """
    pairs: list[tuple[str, str | bytes | None]] | None
    try:
        pairs = _checked_headers(message)
    except (UnicodeDecodeError, SystemError) as error:
        raise BadEvent("the headers cannot be read: a header name is not UTF-8") from error
    return [(name, _bytes(value) or b"") for name, value in pairs or ()]


def event_of(record: Record) -> tuple[Envelope, Message | None]:
    """Return the event of `record` and its message. The message is None if this release does not know the type.

    Raises BadEvent if the record can never be handled as it is.
    """
    if record.defect:
        raise BadEvent(record.defect)
    envelope = decode(key=record.key.encode(), value=record.value, headers=record.headers)
    if envelope.id != record.attribute("ce_id"):
        raise BadEvent(f"ce_id is longer than {_MAX_ATTRIBUTE} characters or not printable")
    check_origin(envelope, topic=record.topic)
    return envelope, envelope.message() if message_class(envelope.type) else None


def check_origin(envelope: Envelope, *, topic: str) -> None:
    """Check that the type belongs on `topic` (its full name) and comes from the service that publishes it.

    An unknown type belongs on every topic of the service that is in its name. Raises BadEvent.
    """
    found = _TYPE.fullmatch(envelope.type)
    if not found or len(envelope.type) > _MAX_ATTRIBUTE:
        raise BadEvent(f"malformed ce_type {envelope.type[:100]!r}")
    if message := message_class(envelope.type):
        belongs = topic == topic_name(event_type(message).topic)
    else:
        belongs = topic.startswith(topic_name(f"travel.{found['service']}."))
    if not belongs:
        raise BadEvent(f"{envelope.type} does not belong on {topic}")
    if envelope.source != found["service"]:
        raise BadEvent(f"ce_source {envelope.source[:50]!r} does not publish {envelope.type}")


def printable(value: bytes, *, longest: int | None = None) -> str:
    """Return `value` as text that a database and a log line can hold, whatever the bytes.

    Not more than `longest` characters, and then without reading the rest.
    """
    text = (value if longest is None else value[: 4 * longest]).decode("utf-8", "backslashreplace")
    shown = "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
    return shown if longest is None else shown[:longest]


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
