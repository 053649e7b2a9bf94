"""What every type is built from: protobuf messages read by field name, money, refusals, connections."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal as PyDecimal
from typing import Final, Protocol

import graphene
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from graphene.types.definitions import GrapheneObjectType
from graphene.types.mountedtype import MountedType
from graphene.types.unmountedtype import UnmountedType
from graphql import GraphQLNonNull, GraphQLResolveInfo

from contracts.travel.common.v1 import common_pb2
from gateway_service.gateway.ids import ListKey, input_name, to_global_id
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.schema.person import Person
from gateway_service.gateway.schema.scalars import JSON, Decimal
from shared.errors import DomainError, Invalid
from shared.money import Money as Amount
from shared.money import exponent
from shared.rpc.mapping import DEFAULT_PAGE, MAX_PAGE, money_from_proto
from shared.text import Locale as Language

MAX_MINOR: Final = 2**63 - 1

TypeOrLazy = type | Callable[[], type]  # a lambda names a type that is defined further below


class HasId(Protocol):
    """A row with the uuid that its service gave it."""

    @property
    def id(self) -> str: ...


class Info(GraphQLResolveInfo):
    """What a resolver receives. Its context is the operation."""

    context: Operation


@functools.lru_cache(maxsize=2048)
def _presence(message: Descriptor, name: str) -> tuple[bool, bool] | None:
    """Return (has presence, empty means absent) of a message's field, or None if there is no such field."""
    field = message.fields_by_name.get(name)
    if field is None:
        return None
    empty_is_absent = field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM} and not field.is_repeated
    return field.has_presence, empty_is_absent


def read(name: str, default: object, root: object, info: GraphQLResolveInfo) -> object:
    """Return the value of `root` under `name`.

    An unset field of a message is null. An empty text or an unspecified enum is null too if the schema allows null.
    """
    if isinstance(root, dict):
        return root.get(name, default)
    if not isinstance(root, Message):
        return getattr(root, name, default)
    presence = _presence(root.DESCRIPTOR, name)
    if presence is None:
        return default
    has_presence, empty_is_absent = presence
    if has_presence and not root.HasField(name):
        return None
    value: object = getattr(root, name)
    if empty_is_absent and not value and not isinstance(info.return_type, GraphQLNonNull):
        return None
    return value


class MessageObject(graphene.ObjectType):
    """A type whose fields read a protobuf message."""

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(cls, **options: object) -> None:
        options.setdefault("default_resolver", read)
        super().__init_subclass_with_meta__(**options)


class Node(graphene.Interface):
    """Anything with a global id."""

    id = graphene.ID(required=True)

    @classmethod
    def resolve_type(cls, instance: Message | Person, info: GraphQLResolveInfo) -> type[graphene.ObjectType]:
        """Return the type of `instance`: the type with the name of its message."""
        name = instance.type_name if isinstance(instance, Person) else type(instance).__name__
        node_type: GrapheneObjectType = info.schema.type_map[name]
        graphene_type: type[graphene.ObjectType] = node_type.graphene_type
        return graphene_type


class NodeObject(MessageObject):
    """A MessageObject with a global id: its type's name and its message's uuid."""

    class Meta:
        abstract = True

    @staticmethod
    def resolve_id(root: HasId, info: GraphQLResolveInfo) -> str:
        """Return the global id."""
        return to_global_id(info.parent_type.name, root.id)


class Locale(graphene.Enum):
    """A language of the platform."""

    EN = common_pb2.LOCALE_EN
    FR = common_pb2.LOCALE_FR


class Money(MessageObject):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)

    @staticmethod
    def resolve_amount(root: common_pb2.Money | Amount, info: Info) -> PyDecimal:
        return root.amount if isinstance(root, Amount) else money_from_proto(root).amount

    @staticmethod
    def resolve_currency(root: common_pb2.Money | Amount, info: Info) -> str:
        return root.currency if isinstance(root, Amount) else root.currency_code


class MoneyInput(graphene.InputObjectType):
    amount = Decimal(required=True)
    currency = graphene.String(required=True)


def money_given(value: MoneyInput | None, field: str) -> common_pb2.Money | None:
    """Return an amount that a client sent. Raises Invalid for a malformed currency, or an amount that is negative or too fine."""
    if value is None:
        return None
    currency = value.currency
    if not (currency.isascii() and currency.isalpha() and currency.isupper() and len(currency) == 3):
        raise Invalid(field=f"{field}.currency")
    minor = value.amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value() or not 0 <= minor <= MAX_MINOR:
        raise Invalid(field=f"{field}.amount")
    return common_pb2.Money(minor_units=int(minor), currency_code=currency)


class PageInfo(MessageObject):
    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True)
    start_cursor = graphene.String()
    end_cursor = graphene.String()


class UserError(graphene.ObjectType):
    code = graphene.String(required=True)
    message = graphene.String(required=True)
    field = graphene.String()
    params = graphene.Field(JSON)


def user_error(error: DomainError, locale: Language) -> dict[str, object]:
    """Return `error` as an entry of a payload's `errors`."""
    return {
        "code": error.code,
        "message": error.localized(locale),
        "field": input_name(error.field),
        "params": error.params or None,
    }


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of a page and its cursor."""

    node: object
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    edges: Sequence[Edge]
    page_info: common_pb2.PageInfo
    total_count: int | None


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


def page_from(answer: ServicePage | None, key: ListKey) -> Page:
    """Return a service's page with cursors that only this list accepts; an empty page for None."""
    if answer is None:
        return Page([], common_pb2.PageInfo(), 0)
    edges = [Edge(edge.node, key.wrap(edge.cursor)) for edge in answer.edges]
    info = common_pb2.PageInfo(
        has_next_page=answer.page_info.has_next_page,
        has_previous_page=answer.page_info.has_previous_page,
        start_cursor=edges[0].cursor if edges else "",
        end_cursor=edges[-1].cursor if edges else "",
    )
    return Page(edges, info, getattr(answer, "total_count", None))


def first_of(first: int | None) -> int:
    """Return how many rows are requested, 20 for None. Raises Invalid outside of 1 to 100."""
    if first is None:
        return DEFAULT_PAGE
    if not 1 <= first <= MAX_PAGE:
        raise Invalid(field="first")
    return first


def connection(name: str, node: type[NodeObject], *, counted: bool = False) -> type[graphene.ObjectType]:
    """Return the Relay connection type of `name` with its edge type, and with `totalCount` if `counted`."""
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {"node": graphene.Field(node, required=True), "cursor": graphene.String(required=True)},
    )
    fields: dict[str, MountedType | UnmountedType] = {
        "edges": graphene.List(graphene.NonNull(edge), required=True),
        "page_info": graphene.Field(PageInfo, required=True),
    }
    if counted:
        fields["total_count"] = graphene.Int()
    return type(f"{name}Connection", (graphene.ObjectType,), fields)


def paged(connection_type: TypeOrLazy, *, required: bool = False, **arguments: UnmountedType) -> graphene.Field:
    """Return a field that answers a page, with the arguments `first` and `after` in addition to its own."""
    return graphene.Field(
        connection_type, required=required, **arguments, first=graphene.Int(), after=graphene.String()
    )


def many(of: TypeOrLazy) -> graphene.List:
    """Return `[of!]!`."""
    return graphene.List(graphene.NonNull(of), required=True)
