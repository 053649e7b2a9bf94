"""Resolvers that are written for many objects at once.

Breadth-first execution (see execution/breadth_first) calls `many` once for all objects of a place. graphql-core calls
the resolver itself, once for each object.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from graphql import GraphQLResolveInfo

# One entry for each root: its value, an awaitable of its value, or an exception, which is the error of this root only.
Column = Sequence[Any]
Many = Callable[..., Column | Awaitable[Column]]


class ColumnResolver:
    """A resolver made from a function of all roots, `(roots, info, **arguments)`, which returns a Column.

    An exception that the function raises, instead of returning it, may be the error of every root.
    """

    def __init__(self, many: Many) -> None:
        self.many = many

    def __call__(self, root: object, info: GraphQLResolveInfo, **arguments: object) -> object:
        """Return the value of one object, or an awaitable of it."""
        column = self.many([root], info, **arguments)
        return _first(column) if isinstance(column, Awaitable) else column[0]


async def _first(column: Awaitable[Column]) -> object:
    value = (await column)[0]
    return await value if isinstance(value, Awaitable) else value
