"""The schema: graphene types that read protobuf messages, with the descriptions of contract.graphql."""

from pathlib import Path
from typing import Final

import graphene
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from graphql import build_schema as build_core_schema

from gateway_service.gateway.schema.descriptions import DESCRIPTIONS
from gateway_service.gateway.schema.mutations import Mutation
from gateway_service.gateway.schema.queries import Query
from gateway_service.gateway.schema.scalars import Date, DateTime, Decimal
from gateway_service.gateway.schema.subscriptions import Subscription

CONTRACT: Final = Path(__file__).resolve().parents[2] / "contract.graphql"

_WITH_FIELDS: Final = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)


def build() -> graphene.Schema:
    """Return the schema, with the descriptions of the contract, or else of DESCRIPTIONS."""
    built = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription, types=[DateTime, Date, Decimal])
    _describe(built.graphql_schema, build_core_schema(CONTRACT.read_text(encoding="utf-8")))
    return built


def _describe(served: GraphQLSchema, contract: GraphQLSchema) -> None:
    for name, served_type in served.type_map.items():
        promised = contract.type_map.get(name)
        if name.startswith("__"):
            continue
        description = (promised.description if promised else None) or DESCRIPTIONS.get(name)
        if promised or description:
            served_type.description = description
        if isinstance(served_type, _WITH_FIELDS):
            promised_fields = promised.fields if isinstance(promised, _WITH_FIELDS) else {}
            for field_name, field in served_type.fields.items():
                own = promised_fields[field_name].description if field_name in promised_fields else None
                field.description = own or DESCRIPTIONS.get(f"{name}.{field_name}") or field.description


schema: Final = build()
