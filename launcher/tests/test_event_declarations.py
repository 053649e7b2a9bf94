"""What consumers say of events is read from their text, and what they do not say is a complaint of the gate."""

import dataclasses
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from contracts.travel.events.v1 import bookings_pb2, destinations_pb2, users_pb2
from launcher.contract_gate.baseline import COMMITTED, Baseline
from launcher.contract_gate.consumers import deploy_order, required_of_nobody, unsaid
from launcher.event_catalogue.declarations import Declaration, read_declarations
from launcher.refusal import Refusal
from shared.events import BROADCASTS, CONSUMERS, EVENTS

DECLARATIONS = read_declarations()
CREATED, CONFIRMED = bookings_pb2.BookingCreated, bookings_pb2.BookingConfirmed
LINK = users_pb2.UserLinkRequested


def without(consumer: str, *messages: object) -> list[Declaration]:
    """Return what the consumers say, but for `messages` of one consumer."""
    return [said for said in DECLARATIONS if said.consumer != consumer or said.message not in messages]


def test_every_consumer_says_what_it_does_with_each_type_of_its_topics() -> None:
    assert list(unsaid(EVENTS, DECLARATIONS, CONSUMERS)) == []
    assert list(required_of_nobody(EVENTS, DECLARATIONS)) == []


def test_the_topics_of_each_consumer_are_those_of_its_handlers() -> None:
    """Seen failing with travel.destinations.departure among the topics of notifications, which handles none of it."""
    for consumer, topics in CONSUMERS.items():
        handled = {EVENTS[said.message].topic for said in DECLARATIONS if said.consumer == consumer and said.handler}
        assert handled == {topic.name for topic in topics}


@pytest.mark.parametrize("message", [CREATED, CONFIRMED])
def test_a_type_of_which_a_consumer_says_nothing_is_named(message: type) -> None:
    """Seen failing without the check: a new type would be skipped silently."""
    (complaint,) = unsaid(EVENTS, without("notifications", message), CONSUMERS)

    type_ = EVENTS[message].type
    assert complaint.startswith("shared/events.py:")
    assert complaint.endswith(f"notifications must say what it does with {type_}: @handles or ignores(…) it.")


def test_a_topic_without_a_handler_is_named() -> None:
    consumers = {**CONSUMERS, "destinations": (*CONSUMERS["destinations"], *CONSUMERS["bookings"])}
    ignored = [
        Declaration("destinations", message, "consumers.py", 1)
        for message in (
            destinations_pb2.DepartureScheduled, destinations_pb2.DepartureChanged, destinations_pb2.DepartureCancelled,
        )
    ]  # fmt: skip

    (complaint,) = unsaid(EVENTS, [*DECLARATIONS, *ignored], consumers)

    assert "topics of destinations: travel.destinations.departure, but it handles nothing of it" in complaint


def test_a_type_that_is_handled_and_ignored_is_named() -> None:
    contradiction = Declaration("notifications", CONFIRMED, "consumers.py", 7)

    complaints = list(unsaid(EVENTS, [*DECLARATIONS, contradiction], CONSUMERS))

    assert complaints == [
        "consumers.py:7: notifications both handles and ignores travel.bookings.booking.confirmed.v1."
    ]


def test_an_ignored_type_of_another_topic_is_named() -> None:
    stray = Declaration("destinations", CREATED, "consumers.py", 9)

    complaints = list(unsaid(EVENTS, [*DECLARATIONS, stray], CONSUMERS))

    assert complaints == [
        "consumers.py:9: destinations ignores travel.bookings.booking.created.v1, which is on none of its topics."
    ]


def test_a_required_type_that_nobody_handles_is_named() -> None:
    """Seen failing without the check: a consumer would park its key for an event that has no effect."""
    events = {**EVENTS, CREATED: dataclasses.replace(EVENTS[CREATED], required=True)}

    (complaint,) = required_of_nobody(events, DECLARATIONS)

    assert complaint.endswith("travel.bookings.booking.created.v1 is required, and no consumer handles it.")


def order(without_type: str = "", without_value: str = "") -> list[str]:
    """Return the order for what is new against a release that had everything but a type, or a value of an enum."""
    baseline = Baseline.of(EVENTS)
    baseline = dataclasses.replace(baseline, types={k: v for k, v in baseline.types.items() if k != without_type})
    protos = descriptor_pb2.FileDescriptorSet()
    for message in (*EVENTS, bookings_pb2.BookingLine):
        if all(file.name != message.DESCRIPTOR.file.name for file in protos.file):
            message.DESCRIPTOR.file.CopyToProto(protos.file.add())
    for dependency in ("travel/common/v1/common.proto",):
        users_pb2.DESCRIPTOR.pool.FindFileByName(dependency).CopyToProto(protos.file.add())
    for file in protos.file:
        for enum in file.enum_type:
            kept = [value for value in enum.value if value.name != without_value]
            del enum.value[:]
            enum.value.extend(kept)
    return list(deploy_order(baseline, protos, EVENTS, DECLARATIONS))


def test_nothing_new_has_no_order() -> None:
    assert order() == []


@pytest.mark.parametrize(
    ("type_", "line"),
    [
        ("travel.users.user.link_requested.v1", "is new and required: deploy notifications before users"),
        ("travel.bookings.inventory.changed.v1", "is new: deploy destinations before bookings"),
        ("travel.notifications.invoice.issued.v1", "is new: no consumer needs it"),
    ],
)
def test_the_consumers_of_a_new_type_come_first(type_: str, line: str) -> None:
    assert order(without_type=type_) == [f"{type_} {line}"]


def test_the_consumers_of_a_new_value_come_first() -> None:
    """Seen failing when only types were compared: a consumer reads a value that it does not know as unspecified."""
    assert order(without_value="LINK_PURPOSE_NEW_DEVICE") == [
        "LINK_PURPOSE_NEW_DEVICE in travel.users.user.link_requested.v1 is new: deploy notifications before users"
    ]


def test_the_committed_baseline_of_the_protos_can_be_read() -> None:
    assert descriptor_pb2.FileDescriptorSet.FromString(COMMITTED.protos.read_bytes()).file


def checkout(root: Path, notifications: str) -> Path:
    """Write the consumers' modules of a checkout."""
    texts = {"destinations": "", "bookings": "", "notifications": notifications}
    for consumer, text in texts.items():
        module = root / f"{consumer}_service" / "app" / "consumers.py"
        module.parent.mkdir(parents=True)
        module.write_text(text)
    return root


def test_declarations_are_read_from_the_text(tmp_path: Path) -> None:
    root = checkout(
        tmp_path,
        "@handles(pb.BookingConfirmed, BookingCancelled)\ndef on_booking(event, *, received): ...\n\n"
        "ignores(\n    BookingCreated,\n)\n",
    )

    assert [(said.message.__name__, said.handler, said.line) for said in read_declarations(root)] == [
        ("BookingConfirmed", "on_booking", 1),
        ("BookingCancelled", "on_booking", 1),
        ("BookingCreated", "", 5),
    ]


def test_a_name_that_is_no_event_is_refused_with_its_line(tmp_path: Path) -> None:
    root = checkout(tmp_path, "\nignores(BookingSnapshot)\n")

    with pytest.raises(Refusal, match=r"notifications_service/app/consumers\.py:2: BookingSnapshot is no event"):
        read_declarations(root)


def test_a_consumer_without_a_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="destinations_service must have one module consumers.py in an app, and has 0"):
        read_declarations(tmp_path)


def test_broadcasts_are_of_events_on_declared_topics() -> None:
    assert all(message in EVENTS for messages in BROADCASTS.values() for message in messages)
