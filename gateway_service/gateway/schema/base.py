"""The base classes of the object types whose fields are read by name from protobuf messages.

Payloads, edges, connections, inputs and enums have other base classes.
"""

import functools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, Protocol

import graphene
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from graphene.types.definitions import GrapheneObjectType
from graphql import GraphQLNonNull, GraphQLResolveInfo

from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.schema.columns import Column, ColumnResolver
from gateway_service.gateway.schema.user_ref import UserRef

TypeOrLazy = type | Callable[[], type]  # a lambda names a type that is defined further below


class HasId(Protocol):
    """A message or object with a uuid in `id`."""

    @property
    def id(self) -> str: ...


class Info(GraphQLResolveInfo):
    """What a resolver receives besides its arguments. `context` is the Operation of the request."""

    context: Operation


@functools.lru_cache(maxsize=2048)
def _presence(message: Descriptor, name: str) -> tuple[bool, bool] | None:
    """Return two facts about a message's field, or None if there is no such field.

    The first fact is whether protobuf tracks the presence of the field. The second is whether an empty value means that
    the field is absent.
    """
    field = message.fields_by_name.get(name)
    if field is None:
        return None
    empty_is_absent = field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM} and not field.is_repeated
    return field.has_presence, empty_is_absent


def read_many(name: str, default: object, roots: Sequence[Any], info: GraphQLResolveInfo) -> Column:
    """Return the field `name` of each root, which is a dictionary, a protobuf message or another object.

    An unset field of a message is null. So is an empty text or an unspecified enum, if the schema allows null there.
    """
    classes = set(map(type, roots))
    if len(classes) > 1:  # each class has its own fields
        return [read_many(name, default, [root], info)[0] for root in roots]
    (kind,) = classes
    if issubclass(kind, dict):
        return [root.get(name, default) for root in roots]
    if not issubclass(kind, Message):
        return [getattr(root, name, default) for root in roots]
    presence = _presence(kind.DESCRIPTOR, name)
    if presence is None:
        return [default] * len(roots)
    has_presence, empty_is_absent = presence
    get = attrgetter(name)
    column = [get(root) if root.HasField(name) else None for root in roots] if has_presence else list(map(get, roots))
    if empty_is_absent and not isinstance(info.return_type, GraphQLNonNull):
        return [value or None for value in column]
    return column


class _Read:
    """Reads a field of one root, or of many roots."""

    many = staticmethod(read_many)

    def __call__(self, name: str, default: object, root: object, info: GraphQLResolveInfo) -> object:
        """Return the field `name` of `root`, see `read_many`."""
        return read_many(name, default, [root], info)[0]


read: Final = _Read()


class MessageObject(graphene.ObjectType):
    """A type whose fields are read from a protobuf message, see `read`."""

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
    def resolve_type(cls, instance: Message | UserRef, info: GraphQLResolveInfo) -> type[graphene.ObjectType]:
        """Return the type of `instance`: its name is the name of the message, or the `type_name` of a UserRef."""
        name = instance.type_name if isinstance(instance, UserRef) else type(instance).__name__
        node_type: GrapheneObjectType = info.schema.type_map[name]
        graphene_type: type[graphene.ObjectType] = node_type.graphene_type
        return graphene_type


class NodeObject(MessageObject):
    """A MessageObject with a global id, which is made of the type's name and the message's uuid."""

    class Meta:
        abstract = True

    @staticmethod
    @ColumnResolver
    def resolve_id(roots: Sequence[HasId], info: GraphQLResolveInfo) -> list[str]:
        """Return the global ids."""
        name = info.parent_type.name
        return [to_global_id(name, root.id) for root in roots]


def many(of: TypeOrLazy) -> graphene.List:
    """Return `[of!]!`."""
    return graphene.List(graphene.NonNull(of), required=True)
