"""The events of the last release: their topics, names and golden samples, as committed in proto/."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from google.protobuf.message import Message

from launcher.event_catalogue.entries import GOLDEN, sample_files
from launcher.platform import ROOT
from shared.events import TOPICS, EventType


@dataclass(frozen=True, slots=True)
class Baselines:
    """The files that hold the contracts of the last release."""

    protos: Path
    events: Path
    graphql: Path


COMMITTED: Final = Baselines(
    protos=ROOT / "proto" / "baseline.binpb",
    events=ROOT / "proto" / "events.baseline.json",
    graphql=ROOT / "gateway_service" / "schema.baseline.graphql",
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the last release promised. A type has the names in `names_of`, and a sample has a SHA-256."""

    topics: Mapping[str, int]
    types: Mapping[str, Mapping[str, Any]]
    samples: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = COMMITTED.events) -> Self:
        """Return the baseline in `path`."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, events: Mapping[type[Message], EventType], *, golden: Path = GOLDEN) -> Self:
        """Return the baseline that a release of `events` would commit."""
        return cls(
            topics={topic.name: topic.partitions for topic in TOPICS},
            types={event.type: names_of(message, event) for message, event in events.items()},
            samples={
                str(path.relative_to(golden)): digest(path)
                for event in events.values()
                for path in sample_files(event.type, golden)
            },
        )

    def text(self) -> str:
        """Return the baseline as it is committed."""
        content = {"topics": self.topics, "types": self.types, "samples": self.samples}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def names_of(message: type[Message], event: EventType) -> dict[str, Any]:
    """Return what readers rely on."""
    return {
        "message": message.DESCRIPTOR.full_name,
        "topic": event.topic,
        "key": event.key,
        "since": event.since,
        "required": event.required,
    }


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
