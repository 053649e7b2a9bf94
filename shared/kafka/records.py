"""A Kafka record as the consumer and the dead letters hold it, and its event, checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Message as KafkaMessage
from google.protobuf.message import Message

from shared.cloudevents import BadEvent, Envelope, decode

_MAX_ATTRIBUTE: Final = 255  # what the inbox's columns hold


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it lay in Kafka; `topic` is the full name, `key` always text that a database can hold."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None

    @classmethod
    def of(cls, message: KafkaMessage) -> "Record":
        """Return `message` as a record; bytes of the key that are no text are kept readable."""
        return cls(
            topic=message.topic() or "",
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            key=printable(_bytes(message.key()) or b"")[:_MAX_ATTRIBUTE],
            headers=[(name, _bytes(value) or b"") for name, value in _pairs(message.headers())],
            value=_bytes(message.value()),
        )

    def attribute(self, name: str) -> str:
        """Return the header `name` as text fit for a column or a log line, empty where there is none."""
        return next(
            (printable(value)[:_MAX_ATTRIBUTE] for key, value in self.headers if key == name),
            "",
        )


def event_of(record: Record) -> tuple[Envelope, Message]:
    """Return the event of `record` and its message. Raises BadEvent where it can never be handled as it is."""
    envelope = decode(key=record.key.encode(), value=record.value, headers=record.headers)
    if envelope.id != record.attribute("ce_id"):
        raise BadEvent(f"ce_id is longer than {_MAX_ATTRIBUTE} characters or not printable")
    try:
        return envelope, envelope.message()
    except RecursionError as error:
        raise BadEvent(f"value of {envelope.type} is nested too deeply") from error


def printable(value: bytes) -> str:
    """Return `value` as text that a database and a log line can hold, whatever the bytes."""
    text = value.decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _pairs(headers: object) -> Iterable[tuple[str, str | bytes | None]]:
    if isinstance(headers, dict):
        return headers.items()
    return headers or ()  # type: ignore[return-value]  # the stub leaves the list's items open
