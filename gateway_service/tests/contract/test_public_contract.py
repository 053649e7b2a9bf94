"""The served schema keeps the public contract: exactly its names, types, nullability, arguments and refusal codes."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    print_schema,
)
from graphql.utilities import BreakingChangeType

from gateway_service.gateway.schema import CONTRACT, schema
from gateway_service.gateway.schema.descriptions import DESCRIPTIONS
from gateway_service.gateway.schema.mutations import Mutation
from gateway_service.gateway.schema.mutations.field import MutationField
from shared import errors

SERVICE = CONTRACT.parent

# The contract promises these fields and types, and this gateway does not serve them yet. Remove an entry when it is
# served. Add an entry only when the contract itself grows.
UNSERVED_FIELDS = {
    *(f"User.{name}" for name in ("twoFactorEnabled", "dataExport")),
    *(f"Mutation.{name}" for name in (
        "enableTwoFactor", "confirmTwoFactor", "disableTwoFactor", "requestDataExport", "eraseAccount",
    )),
}  # fmt: skip
UNSERVED_TYPES = {
    "DataExport", "DataExportStatus", "TwoFactorPayload", "RecoveryCodesPayload",
}  # fmt: skip

FIELDED = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return build_schema(CONTRACT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def served() -> GraphQLSchema:
    return build_schema(print_schema(schema.graphql_schema))


def test_the_served_schema_keeps_the_contract(contract: GraphQLSchema, served: GraphQLSchema) -> None:
    """Seen failing with `Trip.fromPrice` renamed, and without an argument of `trips`."""
    missing = {
        BreakingChangeType.TYPE_REMOVED: UNSERVED_TYPES,
        BreakingChangeType.FIELD_REMOVED: UNSERVED_FIELDS,
    }

    broken = [
        change
        for change in find_breaking_changes(contract, served)
        if not any(change.description.startswith(f"{name} was removed") for name in missing.get(change.type, ()))
    ]

    assert broken == []


def test_the_lists_of_unserved_names_are_exact(contract: GraphQLSchema, served: GraphQLSchema) -> None:
    assert {name for name in UNSERVED_TYPES if name in served.type_map} == set()
    assert {name for name in UNSERVED_FIELDS if name.split(".")[1] in _fields(served, name.split(".")[0])} == set()
    assert {name for name in UNSERVED_TYPES if name not in contract.type_map} == set()


CATALOGUE = (
    "NearInput", "SearchConnection", "SearchEdge", "Highlight", "HighlightPiece", "Facet", "FacetValue", "Suggestion",
    "Tag", "Destination", "DestinationConnection", "DestinationEdge", "OpeningHours", "Season", "Photo", "AveragePrice",
    "Trip", "TripConnection", "TripEdge", "ItineraryDay", "MeetingPoint", "CancellationRule", "Departure",
    "DepartureConnection", "DepartureEdge",
)  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_type_and_field_of_the_catalogue_is_described(name: str) -> None:
    """Seen failing for every type, before the descriptions were written."""
    served_type = schema.graphql_schema.type_map[name]

    undescribed = [field_name for field_name, field in served_type.fields.items() if not field.description]
    assert (served_type.description, undescribed) == (served_type.description or "missing", [])
    assert served_type.description


def test_no_description_repeats_one_of_the_contract(contract: GraphQLSchema) -> None:
    for name in DESCRIPTIONS:
        type_name, _, field_name = name.partition(".")
        promised = contract.type_map.get(type_name)
        if promised is not None and not field_name:
            assert not promised.description, name
        if field_name and promised is not None and field_name in _fields(contract, type_name):
            assert not _fields(contract, type_name)[field_name].description, name


def test_served_types_equal_the_contract(contract: GraphQLSchema, served: GraphQLSchema) -> None:
    """find_breaking_changes does not report a stricter type, although it differs from the contract."""
    for name, promised in contract.type_map.items():
        if name.startswith("__") or name not in served.type_map:
            continue
        served_type = served.type_map[name]
        assert type(served_type) is type(promised), name
        if isinstance(promised, GraphQLEnumType):
            assert set(served_type.values) == set(promised.values), name
        if isinstance(promised, FIELDED):
            for field_name, field in served_type.fields.items():
                if field_name in promised.fields:  # more may be added
                    assert _shape(field) == _shape(promised.fields[field_name]), f"{name}.{field_name}"


def test_the_committed_schema_equals_the_served_schema(tmp_path: Path) -> None:
    committed = (SERVICE / "schema.graphql").read_text(encoding="utf-8")

    assert committed == print_schema(schema.graphql_schema), "run: ./manage_all.py manage gateway graphql_schema"


@pytest.mark.parametrize(
    "name", sorted(name for name, field in vars(Mutation).items() if isinstance(field, MutationField))
)
def test_a_mutation_answers_the_codes_that_the_contract_lists(name: str, contract: GraphQLSchema) -> None:
    field: Any = getattr(Mutation, name)
    promised = _fields(contract, "Mutation")[_camel(name)].description
    described = promised or ""
    codes = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", described)) | set(re.findall(r"\bNOT_FOUND\b", described))

    assert field.refusals == codes


def test_top_level_codes_are_in_the_contract() -> None:
    codes = {protocol.graphql for protocol in errors.PROTOCOLS.values() if protocol.graphql}

    assert codes <= {
        "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT", "RATE_LIMITED", "QUERY_TOO_COMPLEX",
        "UPSTREAM_UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL",
    }  # fmt: skip


def _fields(schema_: GraphQLSchema, type_name: str) -> dict[str, Any]:
    named_type = schema_.type_map[type_name]
    assert isinstance(named_type, FIELDED)
    return named_type.fields


def _shape(field: Any) -> tuple[str, dict[str, str]]:
    return str(field.type), {name: str(argument.type) for name, argument in getattr(field, "args", {}).items()}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
