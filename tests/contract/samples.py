"""Golden samples of events: records as they were once on Kafka. Every later version must still read them.

`python -m tests.contract.samples` writes the next sample of each event type whose newest sample lacks a field. A
committed sample is never edited, because topics and services may still contain such records.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from shared.cloudevents import Envelope, decode, to_json
from shared.events import EVENTS, event_type

GOLDEN: Final = Path(__file__).parent / "golden"
_AT: Final = 1_798_761_600  # 2027-01-01T00:00:00Z
_WORDS: Final = {
    "currency_code": "EUR",
    "time_zone": "Europe/Paris",
    "reference": "K7QM2XWA",
    "reason": "PAID",
    "type": "booking.confirmed",
    "actor": "traveller",
    "channel": "EMAIL",
    "template": "booking_confirmed",
    "provider": "sandbox",
    "number": "2027-000001",
    "kind": "INVOICE",
    "slug": "paris",
    "en": "Three days in Paris",
    "fr": "Trois jours à Paris",
    "changed_fields": "locale",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One record: its file, headers, key and value."""

    path: Path
    headers: dict[str, str]
    key: str
    value: dict[str, Any]

    def envelope(self, **changed: Any) -> Envelope:
        """Decode the record as a consumer does, with `changed` fields in its value."""
        return decode(
            key=self.key.encode(),
            value=json.dumps({**self.value, **changed}).encode(),
            headers=[(name, text.encode()) for name, text in self.headers.items()],
        )


def all_samples() -> list[Sample]:
    """Return every committed sample, oldest first."""
    return [Sample(path=path, **json.loads(path.read_text())) for path in sorted(GOLDEN.glob("*/*.json"))]


def newest(type_: str) -> Sample | None:
    """Return the newest sample of an event type."""
    return next((sample for sample in reversed(all_samples()) if sample.path.parent.name == type_), None)


def filled(cls: type[Message]) -> Message:
    """Return a message of `cls` with a value in every field, the same on every run."""
    message = cls()
    _fill(message)
    return message


def _fill(message: Message) -> None:
    if isinstance(message, Timestamp):
        message.FromSeconds(_AT)
        return
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            value = getattr(message, field.name)
            _fill(value.add() if field.is_repeated else value)
        elif field.is_repeated:
            getattr(message, field.name).append(_scalar(field))
        else:
            setattr(message, field.name, _scalar(field))


def _scalar(field: FieldDescriptor) -> Any:
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values[1].number
    if field.type == FieldDescriptor.TYPE_STRING:
        is_id = field.name.endswith("_id")
        return f"019a2b3c-0000-7000-8000-{field.number:012d}" if is_id else _WORDS.get(field.name, f"some {field.name}")
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    return 100 + field.number


def _write(cls: type[Message]) -> Path | None:
    """Write the next sample of an event and return its path, or return None if the newest sample has every field."""
    type_ = event_type(cls).type
    value = json.loads(to_json(filled(cls)))
    before = newest(type_)
    if before is not None and json.loads(to_json(before.envelope().message())) == value:
        return None
    folder = GOLDEN / type_
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.glob('*.json'))) + 1:03d}.json"
    key = "019a2b3c-0000-7000-8000-000000000001"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "019a2b3c-1111-7000-8000-000000000001",
        "ce_type": type_,
        "ce_source": event_type(cls).source,
        "ce_time": "2027-01-01T00:00:00Z",
        "ce_subject": key,
        "ce_sequence": "7",
        "content-type": "application/json",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "x-request-id": "019a2b3c22227000800000000000001f",
        **({"ce_required": "true"} if event_type(cls).required else {}),
    }
    path.write_text(json.dumps({"headers": headers, "key": key, "value": value}, indent=2, ensure_ascii=False) + "\n")
    return path


if __name__ == "__main__":
    written = [path for path in map(_write, EVENTS) if path]
    print(*written or ["The newest sample of every event has every field."], sep="\n")
