"""The gate finds each kind of break, and names its file and line. Each test plants one break."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed, BookingCreated
from contracts.travel.events.v1.users_pb2 import UserLinkRequested
from launcher.contract_gate import events as gate
from launcher.contract_gate import graphql
from launcher.contract_gate.baseline import GOLDEN, Baseline
from launcher.contract_gate.lines import first_difference, json_line, line_of
from launcher.contract_gate.samples import broken_samples
from launcher.contract_gate.types import CATALOGUE, broken_topics, broken_types
from launcher.platform import ROOT
from shared.events import EVENTS, TOPICS

CONFIRMED = EVENTS[BookingConfirmed]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline.of(EVENTS)


def catalogue_line(text: str) -> int:
    """Return the line of shared/events.py that contains `text`."""
    lines = CATALOGUE.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_the_repository_keeps_its_baselines() -> None:
    assert list(gate.breaks()) == []
    assert list(graphql.breaks()) == []


def test_a_removed_type_is_named(baseline: Baseline) -> None:
    """Seen failing when only the types that are still there were compared."""
    events = {message: event for message, event in EVENTS.items() if message is not BookingConfirmed}

    (complaint,) = broken_types(baseline, events)

    assert complaint.startswith("proto/events.baseline.json:")
    assert "travel.bookings.booking.confirmed.v1 was released and is no longer in shared/events.py" in complaint


@pytest.mark.parametrize(
    ("name", "value"), [("topic", "travel.bookings.other"), ("key", "traveller"), ("since", "2030-01-01")]
)
def test_a_changed_name_is_named_with_its_line(name: str, value: str, baseline: Baseline) -> None:
    """Seen failing for each of the three names left out of the comparison."""
    events = {**EVENTS, BookingConfirmed: dataclasses.replace(CONFIRMED, **{name: value})}

    (complaint,) = broken_types(baseline, events)

    line = catalogue_line('"travel.bookings.booking.confirmed.v1"')
    was = getattr(CONFIRMED, name)
    assert complaint == f"shared/events.py:{line}: {name} of {CONFIRMED.type} was {was!r} and is {value!r}."


def test_another_message_of_a_type_is_a_break(baseline: Baseline) -> None:
    events = {message: event for message, event in EVENTS.items() if message is not BookingConfirmed}
    events[BookingCreated] = CONFIRMED

    complaints = list(broken_types(baseline, events))

    assert any("message of travel.bookings.booking.confirmed.v1 was" in complaint for complaint in complaints)


def test_a_new_type_and_a_new_mark_are_no_breaks(baseline: Baseline) -> None:
    older = dataclasses.replace(baseline, types={k: v for k, v in baseline.types.items() if "confirmed" not in k})

    assert list(broken_types(older, EVENTS)) == []
    assert (
        list(broken_types(baseline, {**EVENTS, BookingConfirmed: dataclasses.replace(CONFIRMED, required=False)})) == []
    )


def test_more_partitions_are_a_break(baseline: Baseline) -> None:
    """Seen failing without the comparison: a key would move to another partition, and its order would end."""
    topics = [dataclasses.replace(topic, partitions=12) if topic.key == "booking" else topic for topic in TOPICS]

    (complaint,) = broken_topics(baseline, topics)

    line = catalogue_line('Topic("travel.bookings.booking"')
    assert complaint.startswith(f"shared/events.py:{line}: topic travel.bookings.booking had 6 partitions and has 12")


def test_a_removed_topic_is_a_break(baseline: Baseline) -> None:
    (complaint,) = broken_topics(baseline, TOPICS[1:])

    assert "topic travel.users.user was released and is no longer declared" in complaint


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Return a copy of one event's samples."""
    shutil.copytree(GOLDEN / CONFIRMED.type, tmp_path / CONFIRMED.type)
    return tmp_path


def rewrite(path: Path, change: str, by: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert change in text
    path.write_text(text.replace(change, by, 1), encoding="utf-8")


def without_samples(baseline: Baseline) -> Baseline:
    return dataclasses.replace(baseline, samples={})


def test_a_field_that_is_no_longer_read_is_named_with_its_line(samples: Path, baseline: Baseline) -> None:
    """A sample with a field that the proto lacks is like a proto that lost a field. Seen failing without the walk."""
    path = samples / CONFIRMED.type / "001.json"
    rewrite(path, '"seats": 111', '"places": 111')

    (complaint,) = broken_samples(without_samples(baseline), golden=samples)

    line = 1 + path.read_text(encoding="utf-8").splitlines().index('      "places": 111,')
    assert complaint == f"{CONFIRMED.type}/001.json:{line}: booking.places is no longer read as it was written."


def test_a_sample_of_another_type_of_field_is_named(samples: Path, baseline: Baseline) -> None:
    rewrite(samples / CONFIRMED.type / "001.json", '"seats": 111', '"seats": "many"')

    (complaint,) = broken_samples(without_samples(baseline), golden=samples)

    assert "001.json:1: the sample can no longer be read: value does not fit" in complaint


def test_an_edited_and_a_missing_sample_are_breaks(samples: Path, baseline: Baseline) -> None:
    """Seen failing without the digests: an edited sample proves nothing of the records that are on Kafka."""
    released = dataclasses.replace(
        baseline, samples={name: sha for name, sha in baseline.samples.items() if name.startswith(CONFIRMED.type)}
    )
    rewrite(samples / CONFIRMED.type / "001.json", "K7QM2XWA", "K7QM2XWB")

    assert [complaint.partition(": ")[2] for complaint in broken_samples(released, golden=samples)] == [
        "the released sample was edited. Restore it, and write a new one beside it."
    ]

    (samples / CONFIRMED.type / "001.json").unlink()

    assert [complaint.partition(": ")[2] for complaint in broken_samples(released, golden=samples)] == [
        f"the released sample {CONFIRMED.type}/001.json is missing."
    ]


BEFORE = """type Query {
  trip(id: ID!): Trip
}

type Trip {
  title: String!
  price(currency: String): Int
}

enum Season {
  SUMMER
  WINTER
}

input Filter {
  season: Season
}
"""


@pytest.mark.parametrize(
    ("change", "by", "complaint"),
    [
        ("  title: String!\n", "", "before.graphql:6: Trip.title was removed."),
        ("title: String!", "title: String", "after.graphql:6: Trip.title changed type from String! to String."),
        ("(currency: String)", "", "before.graphql:7: "),
        ("currency: String)", "currency: String!)", "after.graphql:7: "),
        ("  WINTER\n", "", "before.graphql:12: WINTER was removed from enum type"),
        ("input Filter {\n  season: Season\n}\n", "", "before.graphql:15: Filter was removed."),
        ("  season: Season\n", "  season: Season\n  year: Int!\n", "after.graphql:17: "),
    ],
)
def test_a_break_of_the_graphql_schema_is_named_with_its_line(
    change: str, by: str, complaint: str, tmp_path: Path
) -> None:
    """Seen failing without find_breaking_changes, and with the line of the type in place of the field's."""
    before, after = tmp_path / "before.graphql", tmp_path / "after.graphql"
    before.write_text(BEFORE)
    after.write_text(BEFORE.replace(change, by))

    (found,) = graphql.breaks(before, after)

    assert found.startswith(complaint)


def test_an_addition_to_the_graphql_schema_is_no_break(tmp_path: Path) -> None:
    before, after = tmp_path / "before.graphql", tmp_path / "after.graphql"
    before.write_text(BEFORE)
    after.write_text(BEFORE.replace("  title: String!\n", "  title: String!\n  days: Int\n"))

    assert list(graphql.breaks(before, after)) == []


def test_the_line_of_a_value_is_found_in_nested_json() -> None:
    text = json.dumps({"a": {"x": 1}, "b": [{"x": 2}, {"y": {"x": 3}, "x": 4}]}, indent=2)
    lines = text.splitlines()

    assert lines[json_line(text, ["a", "x"]) - 1].strip() == '"x": 1'
    assert lines[json_line(text, ["b", 0, "x"]) - 1].strip() == '"x": 2'
    assert lines[json_line(text, ["b", 1, "x"]) - 1].strip() == '"x": 4'
    assert lines[json_line(text, ["b", 1, "y", "x"]) - 1].strip() == '"x": 3'


def test_an_outdated_document_is_named_with_its_first_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\ntwo\n")

    assert first_difference(page, "one\ntwo\n", root=tmp_path) == ""
    assert first_difference(page, "one\n2\n", root=tmp_path) == "page.md:2: is 'two' and should be '2'."
    assert first_difference(tmp_path / "new.md", "one\n", root=tmp_path).startswith("new.md:1: is ''")


def test_a_name_that_is_nowhere_gives_the_file_alone() -> None:
    assert line_of(CATALOGUE, "no such name") == "shared/events.py"
    assert line_of(CATALOGUE, EVENTS[UserLinkRequested].type).startswith("shared/events.py:")
    assert CATALOGUE.is_relative_to(ROOT)
