"""Where values stand in the answer, and the errors and nulls of these positions."""

from collections.abc import Sequence
from typing import Any, Union

from graphql import GraphQLError

from gateway_service.gateway.execution.breadth_first.plan import Place

Path = tuple[str | int, ...]


class Objects:
    """The objects of one place.

    `answers[i]` is what the client gets for the object `values[i]`. It stands at position `rows[i]` of `slots`.
    """

    __slots__ = ("answers", "place", "rows", "slots", "values")

    def __init__(
        self, place: Place, values: Sequence[Any], slots: "Slots | None" = None, rows: Sequence[int] = ()
    ) -> None:
        self.place = place
        self.values = values
        self.answers = [place.template.copy() for _ in values]
        self.slots = slots
        self.rows = rows

    def path(self, row: int) -> Path:
        """Return the path of an object."""
        return self.slots.path(self.rows[row]) if self.slots else ()


class Slots:
    """The positions of the values of one field: `containers[i][key]` of an object, `containers[i][keys[i]]` of a list.

    A container belongs to `above`'s `rows[i]`.
    """

    __slots__ = ("above", "containers", "key", "keys", "rows")

    def __init__(
        self,
        above: Union[Objects, "Slots"],
        rows: Sequence[int],
        containers: Sequence[Any],
        *,
        key: str = "",
        keys: Sequence[int] | None = None,
    ) -> None:
        self.above = above
        self.rows = rows
        self.containers = containers
        self.key = key
        self.keys = keys

    def path(self, index: int) -> Path:
        """Return the path of a position."""
        return (*self.above.path(self.rows[index]), self.key if self.keys is None else self.keys[index])

    def fill(self, values: Sequence[Any]) -> None:
        """Write a value to each position."""
        if self.keys is None:
            key = self.key
            for container, value in zip(self.containers, values, strict=True):
                container[key] = value
        else:
            for container, index, value in zip(self.containers, self.keys, values, strict=True):
                container[index] = value

    def only(self, indices: Sequence[int]) -> "Slots":
        """Return some of the positions."""
        return Slots(
            self.above,
            [self.rows[index] for index in indices],
            [self.containers[index] for index in indices],
            key=self.key,
            keys=None if self.keys is None else [self.keys[index] for index in indices],
        )


class Errors:
    """The errors of an execution, and the positions that are null because of an error below them."""

    def __init__(self) -> None:
        self._errors: list[tuple[Path, GraphQLError]] = []
        self._nulled: set[Path] = set()

    def add(self, error: GraphQLError, path: Path, lifts: int) -> None:
        """Add the error of the position `path`. The null moves up by `lifts` keys."""
        null = path[: len(path) - lifts]
        self._errors.append((null, error))
        if lifts:
            self._nulled.add(null)

    @property
    def have_nulled(self) -> bool:
        """Whether an object is null because of an error below it."""
        return bool(self._nulled)

    def is_nulled(self, path: Path) -> bool:
        """Return whether `path` is at or below a position that is null because of an error below it."""
        return any(path[:length] in self._nulled for length in range(len(path) + 1))

    def apply(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return `data` with null at each position that an error has made null."""
        if () in self._nulled:
            return None
        for path in self._nulled:
            if not self.is_nulled(path[:-1]):
                container: Any = data
                for key in path[:-1]:
                    container = container[key]
                container[path[-1]] = None
        return data

    def listed(self) -> list[GraphQLError]:
        """Return the errors in graphql-core's order: the first of each position, and none below a null position."""
        first: dict[Path, GraphQLError] = {}
        for null, error in self._errors:
            first.setdefault(null, error)
        errors = [error for null, error in first.items() if not self.is_nulled(null[:-1]) or not null]
        return sorted(errors, key=lambda error: (error.locations or [], error.path or [], error.message))
