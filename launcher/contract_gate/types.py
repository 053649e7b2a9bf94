"""Each type of the last release is still there, with the same names, and each topic with the same partitions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from google.protobuf.message import Message

from launcher.contract_gate.baseline import COMMITTED, Baseline, names_of
from launcher.contract_gate.lines import line_of
from launcher.platform import ROOT
from shared.events import EventType, Topic

CATALOGUE: Final = ROOT / "shared" / "events.py"
# `required` may change: it only matters to a consumer that does not know the type.
_FIXED: Final = ("message", "topic", "key", "since")


def broken_types(baseline: Baseline, events: Mapping[type[Message], EventType]) -> Iterator[str]:
    """Yield a complaint for each type that was removed, or has another message, topic, key or day."""
    present = {event.type: names_of(message, event) for message, event in events.items()}
    for type_, promised in baseline.types.items():
        if type_ not in present:
            place = line_of(COMMITTED.events, type_)
            yield f"{place}: {type_} was released and is no longer in shared/events.py. Old records still have it."
            continue
        for name in _FIXED:
            if present[type_][name] != promised[name]:
                place = line_of(CATALOGUE, type_)
                yield f"{place}: {name} of {type_} was {promised[name]!r} and is {present[type_][name]!r}."


def broken_topics(baseline: Baseline, topics: Iterable[Topic]) -> Iterator[str]:
    """Yield a complaint for each topic that was removed, or has another number of partitions: keys would move."""
    present = {topic.name: topic.partitions for topic in topics}
    for name, partitions in baseline.topics.items():
        if name not in present:
            yield f"{line_of(COMMITTED.events, name)}: topic {name} was released and is no longer declared."
        elif present[name] != partitions:
            place = line_of(CATALOGUE, name)
            yield f"{place}: topic {name} had {partitions} partitions and has {present[name]}: order per key breaks."
