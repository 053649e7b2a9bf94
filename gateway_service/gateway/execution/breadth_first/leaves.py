"""Serialize whole columns of leaf values.

A column has a quick way, which works if all its values are of the expected Python type. Otherwise graphql-core
serializes each value, and says which of them cannot be serialized.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLLeafType, Undefined
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

# Returns the serialized column, where null stays None. Returns None if the quick way does not apply.
Serializer = Callable[[Sequence[Any], set[type]], Sequence[Any] | None]


def serializer_of(leaf: GraphQLLeafType) -> Serializer:
    """Return the quick way to serialize columns of `leaf`."""
    if isinstance(leaf, GraphQLEnumType):
        return _names(leaf)
    return _QUICK.get(leaf.name) or _each(leaf)


def _unchanged(python_type: type) -> Serializer:
    expected = {python_type, type(None)}

    def serialize(values: Sequence[Any], kinds: set[type]) -> Sequence[Any] | None:
        return values if kinds <= expected else None

    return serialize


def _ints(values: Sequence[Any], kinds: set[type]) -> Sequence[Any] | None:
    if kinds == {int} and min(values) >= GRAPHQL_MIN_INT and max(values) <= GRAPHQL_MAX_INT:
        return values
    return None


def _names(enum: GraphQLEnumType) -> Serializer:
    """Return a serializer of enums whose values are numbers."""
    names: dict[Any, str | None] = {None: None}
    for name, member in enum.values.items():
        number = getattr(member.value, "value", member.value)  # graphene's values are members of a Python enum
        if isinstance(number, int):
            names[number] = name
    expected = {int, type(None)}

    def serialize(values: Sequence[Any], kinds: set[type]) -> Sequence[Any] | None:
        if not kinds <= expected:
            return None
        try:
            return [names[value] for value in values]
        except KeyError:
            return None

    return serialize


def _each(leaf: GraphQLLeafType) -> Serializer:
    convert = leaf.serialize

    def serialize(values: Sequence[Any], kinds: set[type]) -> Sequence[Any] | None:
        try:
            column = [None if value is None else convert(value) for value in values]
        except Exception:  # noqa: BLE001 graphql-core says which value it is
            return None
        has_other_nulls = column.count(None) != values.count(None) or Undefined in column
        return None if has_other_nulls else column

    return serialize


_QUICK: Final[dict[str, Serializer]] = {
    "String": _unchanged(str),
    "ID": _unchanged(str),
    "Boolean": _unchanged(bool),
    "Float": _unchanged(float),
    "Int": _ints,
}
