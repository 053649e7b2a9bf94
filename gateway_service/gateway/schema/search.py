"""The search for places and trips by words, suggestions, and the tags of the catalogue."""

from __future__ import annotations  # the messages' enums are generic only in their type stubs (.pyi)

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import graphene
from google.protobuf.message import Message
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.requests import date_range, page_request
from gateway_service.gateway.schema.base import Info, MessageObject, many
from gateway_service.gateway.schema.catalogue import Destination, Trip, iso_or_empty
from gateway_service.gateway.schema.columns import ColumnResolver
from gateway_service.gateway.schema.enums import SearchKind, proto_value
from gateway_service.gateway.schema.money import MoneyInput, money_from_input
from gateway_service.gateway.schema.paging import (
    Edge,
    Page,
    PageInfo,
    ServicePage,
    page_from,
    page_size,
    paged,
    resolve_cursors,
)
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.upstream import stubs
from shared.errors import Invalid
from shared.rpc.mapping import locale_to_proto

DEFAULT_SUGGESTIONS = 5


class SearchResult(graphene.Union):
    class Meta:
        types = (Destination, Trip)

    @classmethod
    def resolve_type(cls, instance: Message, info: GraphQLResolveInfo) -> type[graphene.ObjectType]:
        """Return the type of a result: its name is the name of the message."""
        return Trip if isinstance(instance, destinations_pb2.Trip) else Destination


class HighlightPiece(MessageObject):
    text = graphene.String(required=True)
    matched = graphene.Boolean(required=True)


class Highlight(MessageObject):
    field = graphene.String(required=True)
    pieces = many(HighlightPiece)


class FacetValue(MessageObject):
    value = graphene.String(required=True)
    label = graphene.String(required=True)
    count = graphene.Int(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_label(roots: Sequence[destinations_pb2.FacetValue], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.label for root in roots])


class Facet(MessageObject):
    field = graphene.String(required=True)
    values = many(FacetValue)


class Tag(MessageObject):
    tag = graphene.String(required=True)
    label = graphene.String(required=True)
    count = graphene.Int(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_label(roots: Sequence[destinations_pb2.Tag], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.label for root in roots])


class Suggestion(MessageObject):
    text = graphene.String(required=True)
    node = graphene.Field(SearchResult, required=True)

    @staticmethod
    @ColumnResolver
    def resolve_node(roots: Sequence[destinations_pb2.Suggestion], info: Info) -> list[Message]:
        return [_node(root) for root in roots]


class SearchEdge(graphene.ObjectType):
    node = graphene.Field(SearchResult, required=True)
    cursor = graphene.String(required=True, resolver=ColumnResolver(resolve_cursors))
    highlights = many(Highlight)

    @staticmethod
    @ColumnResolver
    def resolve_node(roots: Sequence[Edge], info: Info) -> list[Message]:
        return [_node(cast(destinations_pb2.SearchEdge, root.edge)) for root in roots]

    @staticmethod
    @ColumnResolver
    def resolve_highlights(roots: Sequence[Edge], info: Info) -> list[Sequence[destinations_pb2.Highlight]]:
        return [cast(destinations_pb2.SearchEdge, root.edge).highlights for root in roots]


@dataclass(frozen=True, slots=True)
class SearchPage(Page):
    """A page of results with its facets."""

    facets: Sequence[destinations_pb2.Facet]


class SearchConnection(graphene.ObjectType):
    edges = many(SearchEdge)
    page_info = graphene.Field(PageInfo, required=True)
    total_count = graphene.Int()
    facets = many(Facet)


class SearchQueries(graphene.ObjectType):
    """The fields of Query that search."""

    search = paged(
        SearchConnection,
        text=graphene.String(required=True),
        kinds=graphene.List(graphene.NonNull(SearchKind)),
        country_code=graphene.String(),
        tags=graphene.List(graphene.NonNull(graphene.String)),
        departs_after=Date(),
        departs_before=Date(),
        seats=graphene.Int(),
        max_price=MoneyInput(),
    )
    suggest = graphene.List(graphene.NonNull(Suggestion), text=graphene.String(required=True), first=graphene.Int())
    tags = graphene.List(graphene.NonNull(Tag))

    @staticmethod
    async def resolve_search(
        _root: None,
        info: Info,
        text: str,
        kinds: list[SearchKind] | None = None,
        country_code: str | None = None,
        tags: list[str] | None = None,
        departs_after: date | None = None,
        departs_before: date | None = None,
        seats: int | None = None,
        max_price: MoneyInput | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> SearchPage:
        if seats is not None and seats < 1:
            raise Invalid(field="seats")
        request = destinations_pb2.SearchRequest(
            text=text,
            kinds=[proto_value(kind) for kind in kinds or ()],
            country_code=country_code or "",
            tags=tags or [],
            departs=date_range(iso_or_empty(departs_after), iso_or_empty(departs_before)),
            seats=seats or 0,
            max_price=money_from_input(max_price, "maxPrice"),
            locale=locale_to_proto(await info.context.locale()),
        )
        list_key = ListKey.of("search", request.SerializeToString(deterministic=True))
        request.with_facets = _selects(info, "facets")
        request.page.CopyFrom(page_request(page_size(first), list_key.unwrap(after)))
        answer = await info.context.call(stubs.destinations.Search, request)
        page = page_from(cast(ServicePage, answer), list_key)
        return SearchPage(page.edges, page.page_info, page.total_count, answer.facets)

    @staticmethod
    async def resolve_suggest(
        _root: None, info: Info, text: str, first: int | None = None
    ) -> Sequence[destinations_pb2.Suggestion]:
        request = destinations_pb2.SuggestRequest(
            text=text,
            first=DEFAULT_SUGGESTIONS if first is None else first,
            locale=locale_to_proto(await info.context.locale()),
        )
        return (await info.context.call(stubs.destinations.Suggest, request)).suggestions

    @staticmethod
    async def resolve_tags(_root: None, info: Info) -> Sequence[destinations_pb2.Tag]:
        request = destinations_pb2.ListTagsRequest()
        return (await info.context.call(stubs.destinations.ListTags, request)).tags


def _node(found: destinations_pb2.SearchEdge | destinations_pb2.Suggestion) -> Message:
    """Return the place or the trip of a result."""
    return found.trip if found.HasField("trip") else found.destination


def _selects(info: GraphQLResolveInfo, name: str) -> bool:
    """Return whether the selection of the field has a field `name`, directly or in a fragment."""

    def within(selections: SelectionSetNode | None) -> bool:
        return any(selected(node) for node in selections.selections) if selections else False

    def selected(node: object) -> bool:
        if isinstance(node, FieldNode):
            return node.name.value == name
        if isinstance(node, FragmentSpreadNode):
            return within(info.fragments[node.name.value].selection_set)
        return isinstance(node, InlineFragmentNode) and within(node.selection_set)

    nodes: Iterable[FieldNode] = info.field_nodes
    return any(within(node.selection_set) for node in nodes)
