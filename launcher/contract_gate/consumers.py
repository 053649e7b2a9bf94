"""What consumers say of the types on their topics, and which service must be deployed first."""

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from launcher.contract_gate.baseline import Baseline
from launcher.contract_gate.lines import line_of
from launcher.contract_gate.types import CATALOGUE
from launcher.event_catalogue.declarations import Declaration
from launcher.event_catalogue.entries import descriptor_of
from launcher.event_catalogue.schemas import definitions_in
from shared.events import EventType, Topic

Events = Mapping[type[Message], EventType]


def unsaid(
    events: Events, declarations: Sequence[Declaration], consumers: Mapping[str, Sequence[Topic]]
) -> Iterator[str]:
    """Yield a complaint for each type of which a consumer of its topic says nothing, and for each wrong topic."""
    said = {(declaration.consumer, declaration.message) for declaration in declarations}
    for consumer, topics in consumers.items():
        names = {topic.name for topic in topics}
        for message, event in events.items():
            if event.topic in names and (consumer, message) not in said:
                place = line_of(CATALOGUE, event.type)
                yield f"{place}: {consumer} must say what it does with {event.type}: @handles or ignores(…) it."
        handled = {events[said.message].topic for said in declarations if said.consumer == consumer and said.handler}
        for name in sorted(names ^ handled):
            missing = "handles nothing of it" if name in names else "handles events of it"
            yield f"{line_of(CATALOGUE, consumer)}: topics of {consumer}: {name}, but it {missing}."
    yield from _misplaced(events, declarations, consumers)


def _misplaced(
    events: Events, declarations: Sequence[Declaration], consumers: Mapping[str, Sequence[Topic]]
) -> Iterator[str]:
    handled: dict[tuple[str, type[Message]], bool] = {}
    for said in declarations:
        place, type_ = f"{said.file}:{said.line}", events[said.message].type
        if handled.setdefault((said.consumer, said.message), bool(said.handler)) != bool(said.handler):
            yield f"{place}: {said.consumer} both handles and ignores {type_}."
        if not said.handler and events[said.message].topic not in {topic.name for topic in consumers[said.consumer]}:
            yield f"{place}: {said.consumer} ignores {type_}, which is on none of its topics."


def required_of_nobody(events: Events, declarations: Sequence[Declaration]) -> Iterator[str]:
    """Yield a complaint for each required type that no consumer handles: nothing would be lost without it."""
    for message, event in events.items():
        if event.required and not _handlers(message, declarations):
            yield f"{line_of(CATALOGUE, event.type)}: {event.type} is required, and no consumer handles it."


def deploy_order(
    baseline: Baseline,
    old_protos: descriptor_pb2.FileDescriptorSet,
    events: Events,
    declarations: Sequence[Declaration],
) -> Iterator[str]:
    """Yield a line for each new type, and each new value of an enum that a consumer reads: which service goes first."""
    old_values = _values_of(old_protos)
    for message, event in events.items():
        first = ", ".join(name for name in _handlers(message, declarations) if name != event.source)
        order = f"deploy {first} before {event.source}" if first else "no consumer needs it"
        if event.type not in baseline.types:
            yield f"{event.type} is new{' and required' if event.required else ''}: {order}"
        elif first:
            for enum in definitions_in([descriptor_of(message)]):
                if isinstance(enum, EnumDescriptor):
                    old = old_values.get(enum.full_name, set())
                    yield from (f"{v.name} in {event.type} is new: {order}" for v in enum.values if v.name not in old)


def _handlers(message: type[Message], declarations: Sequence[Declaration]) -> list[str]:
    return list(dict.fromkeys(said.consumer for said in declarations if said.message is message and said.handler))


def _values_of(protos: descriptor_pb2.FileDescriptorSet) -> dict[str, set[str]]:
    return {
        f"{file.package}.{enum.name}": {value.name for value in enum.value}
        for file in protos.file
        for enum in file.enum_type
    }
