"""One entry for each event type: its names, who emits and reads it, its description and its newest sample."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from launcher.event_catalogue.comments import Place, read_comments
from launcher.event_catalogue.declarations import Declaration, read_declarations
from launcher.platform import ROOT
from launcher.refusal import Refusal
from shared.events import BROADCASTS, EVENTS, EventType

GOLDEN: Final = ROOT / "tests" / "contract" / "golden"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event type. `sample` is a whole record: headers, key and value. `emitters` are files that make the message."""

    event: EventType
    descriptor: Descriptor
    description: str
    emitters: Sequence[str]
    handlers: Sequence[Declaration]
    ignored_by: Sequence[str]
    broadcast_to: Sequence[str]
    sample: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entries in the order of shared/events.py, and the comments of the protos by full name."""

    entries: Sequence[Entry]
    places: Mapping[str, Place]

    def comment(self, full_name: str) -> str:
        """Return the comment of a message, field, enum or value, or an empty text."""
        place = self.places.get(full_name)
        return place.comment if place else ""

    def topics(self) -> Mapping[str, Sequence[Entry]]:
        """Return the entries of each topic."""
        names = dict.fromkeys(entry.event.topic for entry in self.entries)
        return {name: [entry for entry in self.entries if entry.event.topic == name] for name in names}


def read_catalogue() -> Catalogue:
    """Collect the catalogue. Raises Refusal if an event has no comment, no sample, or is emitted by nobody."""
    places = read_comments()
    declarations = read_declarations()
    entries = []
    for message, event in EVENTS.items():
        descriptor = descriptor_of(message)
        place = places[descriptor.full_name]
        if not place.comment:
            raise Refusal(f"{place}: {descriptor.name} is an event and has no comment before it.")
        entries.append(
            Entry(
                event=event,
                descriptor=descriptor,
                description=place.comment,
                emitters=_emitters(event, descriptor.name),
                handlers=[said for said in declarations if said.message is message and said.handler],
                ignored_by=[said.consumer for said in declarations if said.message is message and not said.handler],
                broadcast_to=[reader for reader, messages in BROADCASTS.items() if message in messages],
                sample=_newest_sample(event.type),
            )
        )
    return Catalogue(entries=entries, places=places)


def descriptor_of(message: type[Message]) -> Descriptor:
    """Return the description of a message's fields. Its declared type is a union of two implementations."""
    return cast(Descriptor, message.DESCRIPTOR)


def sample_files(type_: str, golden: Path = GOLDEN) -> list[Path]:
    """Return the golden samples of an event type, oldest first."""
    return sorted((golden / type_).glob("*.json"))


def _emitters(event: EventType, message: str) -> list[str]:
    """Return the files of the publishing service that make the message."""
    made = re.compile(rf"\b{message}\(")
    package = ROOT / f"{event.source}_service"
    files = [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] != "tests"]
    found = [str(path.relative_to(ROOT)) for path in files if made.search(path.read_text(encoding="utf-8"))]
    if not found:
        raise Refusal(f"{event.type}: nothing in {package.name} makes a {message}. Remove the event, or emit it.")
    return found


def _newest_sample(type_: str) -> Mapping[str, Any]:
    files = sample_files(type_)
    if not files:
        raise Refusal(f"{type_} has no golden sample.", ".venv/bin/python -m tests.contract.samples")
    sample: Mapping[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return sample
