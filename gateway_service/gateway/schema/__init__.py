"""The schema: graphene types that read protobuf messages. Their descriptions come from contract.graphql."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import graphene
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from graphql import build_schema as build_core_schema

from gateway_service.gateway.schema.mutations import Mutation
from gateway_service.gateway.schema.queries import Query
from gateway_service.gateway.schema.scalars import Date, DateTime, Decimal
from gateway_service.gateway.schema.subscriptions import Subscription

CONTRACT: Final = Path(__file__).resolve().parents[2] / "contract.graphql"

# Types and fields whose description in contract.graphql is not true yet, each with the description that is served
# instead. None means that no description is served.
DESCRIBED_AS_SERVED: Final[Mapping[str, str | None]] = {
    "Destination": None,
    "Trip.fromPrice": None,
}


_WITH_FIELDS: Final = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)


def build() -> graphene.Schema:
    """Return the schema, with the descriptions of the contract or of DESCRIBED_AS_SERVED."""
    built = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription, types=[DateTime, Date, Decimal])
    _describe(built.graphql_schema, build_core_schema(CONTRACT.read_text(encoding="utf-8")))
    return built


def _describe(served: GraphQLSchema, contract: GraphQLSchema) -> None:
    for name, served_type in served.type_map.items():
        promised = contract.type_map.get(name)
        if name.startswith("__") or promised is None:
            continue
        description = DESCRIBED_AS_SERVED.get(name, promised.description)
        served_type.description = description or served_type.description
        if isinstance(served_type, GraphQLEnumType):
            served_type.description = description
        if isinstance(served_type, _WITH_FIELDS) and isinstance(promised, _WITH_FIELDS):
            served_type.description = description
            for field_name, field in served_type.fields.items():
                if field_name in promised.fields:
                    promised_description = promised.fields[field_name].description
                    field.description = DESCRIBED_AS_SERVED.get(f"{name}.{field_name}", promised_description)


schema: Final = build()
