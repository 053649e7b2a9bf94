"""Pages of lists: Relay connections, made from the pages that services answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import graphene
from google.protobuf.message import Message
from graphene.types.mountedtype import MountedType
from graphene.types.unmountedtype import UnmountedType
from graphql import GraphQLResolveInfo

from contracts.travel.common.v1 import common_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.schema.base import MessageObject, TypeOrLazy
from gateway_service.gateway.schema.columns import ColumnResolver
from shared.errors import Invalid
from shared.rpc.mapping import DEFAULT_PAGE, MAX_PAGE


class PageInfo(MessageObject):
    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True)
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class ServiceEdge(Protocol):
    """An edge of any service's page."""

    @property
    def node(self) -> Message: ...
    @property
    def cursor(self) -> str: ...


class ServicePage(Protocol):
    """A page of any service."""

    @property
    def edges(self) -> Iterable[ServiceEdge]: ...
    @property
    def page_info(self) -> common_pb2.PageInfo: ...


class Edge(NamedTuple):
    """One row of a page of the list `key`."""

    edge: ServiceEdge
    key: ListKey


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    edges: Sequence[Edge]
    page_info: common_pb2.PageInfo
    total_count: int | None


def page_from(answer: ServicePage | None, key: ListKey) -> Page:
    """Return a service's page with cursors that only the list `key` accepts. Return an empty page for None."""
    if answer is None:
        return Page([], common_pb2.PageInfo(), 0)
    edges = [Edge(edge, key) for edge in answer.edges]
    info = common_pb2.PageInfo(
        has_next_page=answer.page_info.has_next_page,
        has_previous_page=answer.page_info.has_previous_page,
        start_cursor=_cursor(edges[0]) if edges else "",
        end_cursor=_cursor(edges[-1]) if edges else "",
    )
    return Page(edges, info, getattr(answer, "total_count", None))


def _cursor(edge: Edge) -> str:
    return edge.key.wrap(edge.edge.cursor)


def _resolve_nodes(roots: Sequence[Edge], info: GraphQLResolveInfo) -> list[Message]:
    return [root.edge.node for root in roots]


def resolve_cursors(roots: Sequence[Edge], info: GraphQLResolveInfo) -> list[str]:
    """Return the cursor of each edge."""
    return [_cursor(root) for root in roots]


def page_size(first: int | None) -> int:
    """Return the page size for the argument `first`: 20 for None. Raises Invalid outside of 1 to 100."""
    if first is None:
        return DEFAULT_PAGE
    if not 1 <= first <= MAX_PAGE:
        raise Invalid(field="first")
    return first


def connection(name: str, node: type[MessageObject], *, counted: bool = False) -> type[graphene.ObjectType]:
    """Return the Relay connection type of `name` with its edge type, and with `totalCount` if `counted`."""
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "node": graphene.Field(node, required=True, resolver=ColumnResolver(_resolve_nodes)),
            "cursor": graphene.String(required=True, resolver=ColumnResolver(resolve_cursors)),
        },
    )
    fields: dict[str, MountedType | UnmountedType] = {
        "edges": graphene.List(graphene.NonNull(edge), required=True),
        "page_info": graphene.Field(PageInfo, required=True),
    }
    if counted:
        fields["total_count"] = graphene.Int()
    return type(f"{name}Connection", (graphene.ObjectType,), fields)


def paged(connection_type: TypeOrLazy, *, required: bool = False, **arguments: UnmountedType) -> graphene.Field:
    """Return a field of a connection, with `arguments` and the page's `first` and `after`."""
    return graphene.Field(
        connection_type, required=required, **arguments, first=graphene.Int(), after=graphene.String()
    )
