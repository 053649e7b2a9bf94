"""Events on the wire: CloudEvents 1.0, Kafka binary mode. Attributes are headers, the value is the message as JSON.

The relay encodes and consumers decode. No other module knows the names of the headers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import Message

from shared.events import message_class

_SPEC_VERSION: Final = "1.0"
_CONTENT_TYPE: Final = "application/json"
MAX_VALUE_BYTES: Final = 900_000
_OTHER_ATTRIBUTES: Final = ("traceparent", "x-request-id")
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_MAX_SEQUENCE: Final = 2**63 - 1
# The character NUL in a JSON string: PostgreSQL stores no text with it. After an odd number of backslashes it is text.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

Headers = Iterable[tuple[str, bytes | None]]


class BadEvent(ValueError):
    """The record is not an event of this platform. The text says why. The record is at fault, not the reader."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event with its CloudEvents attributes. `occurred_at` is in UTC. `sequence` grows for each `key`."""

    id: str
    type: str
    source: str
    key: str
    sequence: int
    occurred_at: datetime
    value: bytes
    traceparent: str = ""
    request_id: str = ""
    required: bool = False

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the record's headers."""
        attributes = {
            "ce_specversion": _SPEC_VERSION,
            "ce_id": self.id,
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_time": self.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ce_subject": self.key,
            "ce_sequence": str(self.sequence),
            "content-type": _CONTENT_TYPE,
            "traceparent": self.traceparent,
            "x-request-id": self.request_id,
            "ce_required": "true" if self.required else "",
        }
        return [(name, value.encode()) for name, value in attributes.items() if value]

    def message(self) -> Message:
        """Return the protobuf message. Unknown fields are ignored, because a newer version may send them.

        Raises BadEvent if the type is unknown or the value does not fit it.
        """
        cls = message_class(self.type)
        if cls is None:
            raise BadEvent(f"unknown ce_type {self.type[:100]!r}")
        if not self.value.lstrip().startswith(b"{"):  # the parser takes an empty list for an empty message
            raise BadEvent(f"value of {self.type} is no JSON object")
        if b"u0000" in self.value and _NUL.search(self.value):
            raise BadEvent(f"value of {self.type} has the character NUL")
        try:
            return json_format.Parse(self.value, cls(), ignore_unknown_fields=True)
        except RecursionError as e:
            raise BadEvent(f"value of {self.type} is nested too deeply") from e
        except Exception as e:  # whatever the parser meets in it, the value is at fault
            raise BadEvent(f"value does not fit {self.type}: {type(e).__name__}") from e


def to_json(message: Message) -> str:
    """Return `message` as the JSON of an event: original field names, on one line."""
    return json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None)


def decode(*, key: bytes | None, value: bytes | None, headers: Headers | None) -> Envelope:
    """Return the event of a Kafka record. Raises BadEvent, saying which attribute is missing or malformed.

    Other headers than those of an event may have any bytes. A malformed trace or request id is the reader's to replace.
    """
    attributes = _attributes(headers or ())
    for required in ("ce_id", "ce_type", "ce_source"):
        if not attributes.get(required):
            raise BadEvent(f"no {required}")
    if attributes.get("ce_specversion") != _SPEC_VERSION:
        raise BadEvent("ce_specversion is not 1.0")
    if value is None or len(value) > MAX_VALUE_BYTES:
        raise BadEvent("no value" if value is None else f"value of {len(value)} bytes")
    return Envelope(
        id=attributes["ce_id"],
        type=attributes["ce_type"],
        source=attributes["ce_source"],
        key=_key(key, subject=attributes.get("ce_subject")),
        sequence=_sequence(attributes.get("ce_sequence", "0")),
        occurred_at=_instant(attributes["ce_time"]) if "ce_time" in attributes else datetime.now(UTC),
        value=value,
        traceparent=attributes.get("traceparent", ""),
        request_id=attributes.get("x-request-id", ""),
        required=attributes.get("ce_required", "") == "true",
    )


def _attributes(headers: Headers) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, raw in headers:
        if not name.startswith("ce_") and name not in _OTHER_ATTRIBUTES:
            continue
        if name in attributes:
            raise BadEvent(f"header {name[:50]!r} more than once")
        try:
            attributes[name] = (raw or b"").decode()
        except UnicodeDecodeError:
            raise BadEvent(f"header {name[:50]!r} is not UTF-8") from None
    return attributes


def _key(key: bytes | None, *, subject: str | None) -> str:
    try:
        text = (key or b"").decode()
    except UnicodeDecodeError:
        raise BadEvent("the key is not UTF-8") from None
    if not text:
        raise BadEvent("no key: without one, the event has no place in an order")
    if subject is not None and subject != text:
        raise BadEvent(f"ce_subject {subject[:50]!r} is not the key {text[:50]!r}")
    return text


def _sequence(text: str) -> int:
    """Return the number, which a column of 64 bits can hold."""
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > _MAX_SEQUENCE:
        raise BadEvent(f"malformed ce_sequence: {text[:50]!r}")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadEvent(f"malformed ce_time: {text[:50]!r}") from None
