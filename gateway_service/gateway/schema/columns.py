"""Resolvers that are written for many objects at once.

Breadth-first execution (see execution/breadth_first) calls `many` once for all objects of a place. graphql-core calls
the resolver itself, once for each object.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from graphql import GraphQLResolveInfo

from gateway_service.gateway.operation.batching import Loader

# One entry for each root: its value, or an exception, which is the error of this root only.
Column = Sequence[Any]
Many = Callable[..., Column | Awaitable[Column]]


class ColumnResolver:
    """A resolver made from a function of all roots, `(roots, info, **arguments)`.

    The function returns a Column, or an awaitable of it. An exception that it raises, instead of returning it in the
    place of a value, is the error of every root.
    """

    def __init__(self, many: Many) -> None:
        self.many = many

    def __call__(self, root: object, info: GraphQLResolveInfo, **arguments: object) -> object:
        """Return the value of one object, or an awaitable of it. An exception in the place of a value is raised."""
        column = self.many([root], info, **arguments)
        return _first(column) if isinstance(column, Awaitable) else column[0]


def then(column: Column | Awaitable[Column], use: Callable[[Column], Column]) -> Column | Awaitable[Column]:
    """Return `use(column)`: at once if the column is there, and otherwise an awaitable of it."""
    return _later(column, use) if isinstance(column, Awaitable) else use(column)


async def _later(column: Awaitable[Column], use: Callable[[Column], Column]) -> Column:
    return use(await column)


def mapped(
    column: Column | Awaitable[Column], value_of: Callable[..., object], *more: Column
) -> Column | Awaitable[Column]:
    """Return the column of the results of `value_of`, which gets an entry of `column` and of each column in `more`.

    An exception in `column` stays in its place. So does an exception that `value_of` raises.
    """
    return then(column, lambda values: [applied(value_of, *entry) for entry in zip(values, *more, strict=True)])


def applied(value_of: Callable[..., object], value: object, *more: object) -> object:
    """Return `value_of(value, *more)`, or the exception that it raises. Return `value` itself if it is an exception."""
    if isinstance(value, Exception):
        return value
    try:
        return value_of(value, *more)
    except Exception as error:  # noqa: BLE001 the executor shows it as the error of this object
        return error


def load_lists(loader: Loader[Any, Any], lists: Sequence[Sequence[Any]]) -> Column | Awaitable[Column]:
    """Return the rows of each list of keys, without those that do not exist.

    The first row of a list that cannot be read makes the entry of this list an exception.
    """
    keys = list(dict.fromkeys(key for keys in lists for key in keys))

    def rows_of_lists(rows: Column) -> Column:
        by_key = dict(zip(keys, rows, strict=True))
        return [_rows([by_key[key] for key in keys]) for keys in lists]

    return then(loader.get(keys), rows_of_lists)


def _rows(rows: Column) -> Column | Exception:
    error = next((row for row in rows if isinstance(row, Exception)), None)
    return [row for row in rows if row is not None] if error is None else error


async def _first(column: Awaitable[Column]) -> object:
    return (await column)[0]
