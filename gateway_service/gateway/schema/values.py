"""What every type is made of: protobuf messages read by field name, money, refusals, connections."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import graphene
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from graphql import GraphQLNonNull, GraphQLResolveInfo

from contracts.travel.common.v1 import common_pb2
from gateway_service.gateway.ids import ListKey, to_global_id
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.schema.scalars import JSON, Decimal
from shared.errors import DomainError, Invalid
from shared.money import Money as Amount
from shared.money import exponent
from shared.rpc.mapping import DEFAULT_PAGE, MAX_PAGE, money_from_proto
from shared.text import Locale as Language

MAX_MINOR: Final = 2**63 - 1


class Info(GraphQLResolveInfo):
    """What a resolver is told; its context is the operation."""

    context: Operation


@functools.lru_cache(maxsize=2048)
def _reader(message: type[Message], name: str) -> tuple[bool, bool] | None:
    """Return (knows absence, empty means absent) of a message's field, None where it has no such field."""
    found = message.DESCRIPTOR.fields_by_name.get(name)
    if found is None:
        return None
    empty_is_absent = found.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM} and not found.is_repeated
    return found.has_presence, empty_is_absent


def read(name: str, default: Any, root: Any, info: GraphQLResolveInfo) -> Any:
    """Return what `root` holds under `name`: of a message an unset field is null, an empty text too where null may be."""
    if isinstance(root, dict):
        return root.get(name, default)
    if not isinstance(root, Message):
        return getattr(root, name, default)
    known = _reader(type(root), name)  # type: ignore[arg-type]
    if known is None:
        return default
    has_presence, empty_is_absent = known
    if has_presence and not root.HasField(name):
        return None
    value = getattr(root, name)
    if empty_is_absent and not value and not isinstance(info.return_type, GraphQLNonNull):
        return None
    return value


class Shown(graphene.ObjectType):
    """A type whose fields read the message behind it."""

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(cls, **options: Any) -> None:
        options.setdefault("default_resolver", read)
        super().__init_subclass_with_meta__(**options)


class Node(graphene.Interface):
    """Anything with a global id."""

    id = graphene.ID(required=True)

    @classmethod
    def resolve_type(cls, instance: Any, info: GraphQLResolveInfo) -> Any:
        """Return the type that shows `instance`: the one named like its message."""
        name = getattr(instance, "shown_as", None) or type(instance).__name__
        return info.schema.type_map[name].graphene_type  # type: ignore[attr-defined]


class Identified(Shown):
    """A Shown with a global id of its type and its message's uuid."""

    class Meta:
        abstract = True

    @staticmethod
    def resolve_id(root: Any, info: GraphQLResolveInfo) -> str:
        """Return the global id."""
        return to_global_id(info.parent_type.name, root.id)


class Locale(graphene.Enum):
    """A language of the platform."""

    EN = common_pb2.LOCALE_EN
    FR = common_pb2.LOCALE_FR


class Money(Shown):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)

    @staticmethod
    def resolve_amount(root: common_pb2.Money | Amount, info: Info) -> Any:
        return root.amount if isinstance(root, Amount) else money_from_proto(root).amount

    @staticmethod
    def resolve_currency(root: common_pb2.Money | Amount, info: Info) -> str:
        return root.currency if isinstance(root, Amount) else root.currency_code


class MoneyInput(graphene.InputObjectType):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)


def money_given(value: Any, field: str) -> common_pb2.Money | None:
    """Return an amount that a client gave. Raises Invalid where it is finer than the currency or no amount to look for."""
    if value is None:
        return None
    currency = value.currency
    if not (currency.isascii() and currency.isalpha() and currency.isupper() and len(currency) == 3):
        raise Invalid(field=f"{field}.currency")
    minor = value.amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value() or not 0 <= minor <= MAX_MINOR:
        raise Invalid(field=f"{field}.amount")
    return common_pb2.Money(minor_units=int(minor), currency_code=currency)


class PageInfo(Shown):
    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True)
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class UserError(graphene.ObjectType):
    code = graphene.String(required=True)
    message = graphene.String(required=True)
    field = graphene.String()
    params = graphene.Field(JSON)


def user_error(error: DomainError, locale: Language) -> dict[str, Any]:
    """Return `error` as a client is told it in a payload."""
    return {
        "code": error.code,
        "message": error.localized(locale),
        "field": input_name(error.field),
        "params": error.params or None,
    }


def input_name(field: str | None) -> str | None:
    """Return a service's name of an input (`passengers[0].first_name`) as the schema spells it."""
    if not field:
        return None
    parts = (part.split("_") for part in field.split("."))
    return ".".join(head + "".join(word.title() for word in rest) for head, *rest in parts)


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of a page and where it stands."""

    node: Any
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    edges: Sequence[Edge]
    page_info: common_pb2.PageInfo
    total_count: int | None


def page_from(answer: Any, key: ListKey) -> Page:
    """Return a service's page with cursors that fit this list alone."""
    edges = [Edge(edge.node, key.wrap(edge.cursor)) for edge in answer.edges]
    info = common_pb2.PageInfo(
        has_next_page=answer.page_info.has_next_page,
        has_previous_page=answer.page_info.has_previous_page,
        start_cursor=edges[0].cursor if edges else "",
        end_cursor=edges[-1].cursor if edges else "",
    )
    return Page(edges, info, getattr(answer, "total_count", None))


def empty_page() -> Page:
    """Return the page of a list with nothing in it."""
    return Page([], common_pb2.PageInfo(), 0)


def first_of(first: int | None) -> int:
    """Return how many rows are asked for, 20 where nothing is said. Raises Invalid outside of 1 to 100."""
    if first is None:
        return DEFAULT_PAGE
    if not 1 <= first <= MAX_PAGE:
        raise Invalid(field="first")
    return first


def connection(name: str, node: Any, *, counted: bool = False) -> type[graphene.ObjectType]:
    """Return the Relay connection type of `name`, with its edge type, and `totalCount` where `counted`."""
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {"node": graphene.Field(node, required=True), "cursor": graphene.String(required=True)},
    )
    fields: dict[str, Any] = {
        "edges": graphene.List(graphene.NonNull(edge), required=True),
        "page_info": graphene.Field(PageInfo, required=True),
    }
    if counted:
        fields["total_count"] = graphene.Int()
    return type(f"{name}Connection", (graphene.ObjectType,), fields)


def paged(connection_type: Any, *, required: bool = False, **arguments: Any) -> graphene.Field:
    """Return a field that answers a page, with `first` and `after` beside its own arguments."""
    return graphene.Field(
        connection_type, required=required, **arguments, first=graphene.Int(), after=graphene.String()
    )


def many(of: Any) -> graphene.List:
    """Return `[of!]!`."""
    return graphene.List(graphene.NonNull(of), required=True)
