"""The schema: graphene types over protobuf messages, with the contract's own descriptions."""

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


def build() -> graphene.Schema:
    """Return the schema, described in the contract's words."""
    built = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription, types=[DateTime, Date, Decimal])
    _describe(built.graphql_schema, build_core_schema(CONTRACT.read_text(encoding="utf-8")))
    return built


def _describe(served: GraphQLSchema, contract: GraphQLSchema) -> None:
    for name, shown in served.type_map.items():
        promised = contract.type_map.get(name)
        if name.startswith("__") or promised is None:
            continue
        shown.description = promised.description or shown.description
        if isinstance(shown, GraphQLEnumType):
            shown.description = promised.description
            continue
        if isinstance(shown, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            shown.description = promised.description
            for field_name, field in shown.fields.items():
                if field_name in promised.fields:  # type: ignore[attr-defined]
                    field.description = promised.fields[field_name].description  # type: ignore[attr-defined]


schema: Final = build()
