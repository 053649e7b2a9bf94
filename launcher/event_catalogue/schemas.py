"""JSON schemas of protobuf messages, as `shared.cloudevents.to_json` writes them.

Names are the fields' own. A 64-bit number is a string, an enum is the name of its value, and a Timestamp is a
date-time. A field with its default value is left out, so no property is required.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from launcher.event_catalogue.entries import Catalogue
from launcher.refusal import Refusal

Schema = dict[str, Any]

_LONG: Final = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_SCALARS: Final[Mapping[int, Mapping[str, Any]]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: _LONG,
}
_WELL_KNOWN: Final[Mapping[str, Mapping[str, Any]]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}


def schemas_of(catalogue: Catalogue) -> dict[str, Schema]:
    """Return the schema of each message and enum in the events, by short name. Raises Refusal for a new kind of field.

    Raises Refusal too if two of them have the same short name.
    """
    schemas: dict[str, Schema] = {}
    full_names: dict[str, str] = {}
    for definition in definitions_in(entry.descriptor for entry in catalogue.entries):
        if full_names.setdefault(definition.name, definition.full_name) != definition.full_name:
            raise Refusal(f"{definition.full_name} and {full_names[definition.name]} have the same short name.")
        schemas[definition.name] = _schema(definition, catalogue)
    return schemas


def definitions_in(messages: Iterable[Descriptor]) -> list[Descriptor | EnumDescriptor]:
    """Return `messages`, and every message and enum that they contain, each once."""
    return list(dict.fromkeys(definition for message in messages for definition in _walk(message)))


def is_well_known(field: FieldDescriptor) -> bool:
    """Return whether the field's message is one of Google's, which has a JSON form of its own."""
    return field.message_type is not None and field.message_type.full_name in _WELL_KNOWN


def _walk(message: Descriptor) -> Iterator[Descriptor | EnumDescriptor]:
    yield message
    for field in message.fields:
        if field.enum_type is not None:
            yield field.enum_type
        elif field.message_type is not None and not is_well_known(field):
            yield from _walk(field.message_type)


def _schema(definition: Descriptor | EnumDescriptor, catalogue: Catalogue) -> Schema:
    described = _described(catalogue.comment(definition.full_name))
    if isinstance(definition, EnumDescriptor):
        return {"type": "string", **described, "enum": [value.name for value in definition.values]}
    properties = {field.name: _property(field, catalogue) for field in definition.fields}
    return {"type": "object", **described, "properties": properties}


def _property(field: FieldDescriptor, catalogue: Catalogue) -> Schema:
    described = _described(catalogue.comment(field.full_name))
    one = _value(field)
    if field.is_repeated:
        return {"type": "array", **described, "items": one}
    # In JSON Schema draft 7, whatever stands beside a $ref is ignored.
    return {"allOf": [one], **described} if described and "$ref" in one else {**one, **described}


def _value(field: FieldDescriptor) -> Schema:
    definition = field.enum_type or field.message_type
    if definition is not None and definition.full_name in _WELL_KNOWN:
        return dict(_WELL_KNOWN[definition.full_name])
    if definition is not None:
        return {"$ref": f"#/components/schemas/{definition.name}"}
    if field.type not in _SCALARS:
        raise Refusal(f"{field.full_name}: launcher/event_catalogue/schemas.py has no JSON schema for its type.")
    return dict(_SCALARS[field.type])


def _described(comment: str) -> Schema:
    return {"description": comment} if comment else {}
