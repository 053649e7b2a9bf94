"""docs/asyncapi.yaml is a valid AsyncAPI 3 document, and describes the records that are on Kafka."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from launcher.commands.docs import ASYNCAPI
from shared.events import CONSUMERS, EVENTS, TOPICS, event_type, message_class
from tests.contract.samples import GOLDEN, all_samples

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"
DOCUMENT = yaml.safe_load(ASYNCAPI.read_text(encoding="utf-8"))

each_sample = pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: str(sample.path.relative_to(GOLDEN)))


def complaints(document):
    """Return what the official schema says of `document`."""
    official = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in Draft7Validator(official).iter_errors(document)
    ]


def references(part):
    """Yield every $ref in a part of the document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolve(reference):
    """Return what `reference` points at. Raises KeyError."""
    found = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def closed():
    """Return the document with schemas that allow no property beyond those that they describe."""
    document = copy.deepcopy(DOCUMENT)
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def test_the_document_is_valid():
    assert complaints(DOCUMENT) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("operations", "bookings.send.travel.bookings.booking", "action"), "publish"),
        (("channels", "travel.bookings.booking", "bindings", "kafka", "partitions"), 0),
    ],
)
def test_the_official_schema_notices_what_is_wrong(path, value):
    """The proof that the test before means something."""
    document = copy.deepcopy(DOCUMENT)
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value

    assert complaints(document) != []


def test_every_reference_leads_somewhere():
    assert all(resolve(reference) for reference in references(DOCUMENT))


@each_sample
def test_a_sample_has_the_described_value(sample):
    """Seen failing with a 64-bit number described as a number, and with a property left out of the schemas."""
    message = message_class(sample.path.parent.name).DESCRIPTOR.name

    errors = Draft7Validator({**closed(), "$ref": f"#/components/schemas/{message}"}).iter_errors(sample.value)

    assert [error.message for error in errors] == []


@each_sample
def test_a_sample_has_the_described_headers(sample):
    """Seen failing with another ce_source in the schema of a message."""
    message = message_class(sample.path.parent.name).DESCRIPTOR.name
    headers = DOCUMENT["components"]["messages"][message]["headers"]

    errors = Draft7Validator({**closed(), **headers}).iter_errors(sample.headers)

    assert [error.message for error in errors] == []


def test_channels_are_the_topics_and_messages_are_the_events():
    channels = DOCUMENT["channels"]

    assert set(channels) == {topic.name for topic in TOPICS}
    assert {(channel["address"], name) for channel in channels.values() for name in channel["messages"]} == {
        (event.topic, message.DESCRIPTOR.name) for message, event in EVENTS.items()
    }


def test_each_event_is_sent_once_and_received_by_every_consumer_of_its_topic():
    operations = DOCUMENT["operations"]
    sent = [
        reference["$ref"].rpartition("/")[2]
        for operation in operations.values()
        if operation["action"] == "send"
        for reference in operation["messages"]
    ]

    assert sorted(sent) == sorted(message.DESCRIPTOR.name for message in EVENTS)
    for consumer, topics in CONSUMERS.items():
        assert {f"{consumer}.receive.{topic.name}" for topic in topics} <= set(operations)


def test_the_marks_of_a_message_are_those_of_the_catalogue():
    for message in EVENTS:
        described = DOCUMENT["components"]["messages"][message.DESCRIPTOR.name]
        event = event_type(message)
        assert (described["name"], described["x-required"], described["x-since"]) == (
            event.type, event.required, event.since,
        )  # fmt: skip
        (example,) = described["examples"]
        assert ("ce_required" in example["headers"]) == event.required
