"""Execute a plan: each field once for all objects of its place.

An execution starts every field that it can reach, before it awaits anything. So all objects, fields and places that
read from one loader are in one batch.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Undefined,
    default_type_resolver,
    located_error,
)
from graphql.execution.execute import ExecutionContext
from graphql.pyutils import Path as CorePath
from graphql.pyutils import inspect, is_awaitable, is_iterable

from gateway_service.gateway.execution.breadth_first.plan import Field, Plan
from gateway_service.gateway.execution.breadth_first.positions import Errors, Objects, Slots
from gateway_service.gateway.execution.breadth_first.waiting import Waiting

_NONE = type(None)


async def execute_plan(
    plan: Plan, *, variables: dict[str, Any], context: object, root_value: object = None
) -> ExecutionResult:
    """Return the result of the operation, as graphql-core's `execute` does. `variables` are coerced."""
    return await _Run(plan, variables, context, root_value).result()


class _Run:
    """One execution of a plan."""

    def __init__(self, plan: Plan, variables: dict[str, Any], context: object, root_value: object) -> None:
        self._plan = plan
        self._variables = variables
        self._context = context
        self._root_value = root_value
        self._errors = Errors()
        self._waiting = Waiting()

    async def result(self) -> ExecutionResult:
        root = Objects(self._plan.root, [self._root_value])
        if self._plan.is_serial:
            for field in root.place.fields:
                self._start(field, root)
                await self._waiting.settle()
        else:
            self._start_all(root)
            await self._waiting.settle()
        return ExecutionResult(self._errors.apply(root.answers[0]), self._errors.listed() or None)

    def _start_all(self, objects: Objects) -> None:
        for field in objects.place.fields:
            self._start(field, objects)

    def _start(self, field: Field, objects: Objects) -> None:
        """Resolve the field of all objects, except those that are null because of an error.

        So a mutation does not run after one that made the whole answer null.
        """
        values: Sequence[Any] = objects.values
        slots = Slots(objects, range(len(values)), objects.answers, key=field.key)
        if self._errors.have_nulled:
            alive = [row for row in slots.rows if not self._errors.is_nulled(objects.path(row))]
            slots, values = slots.only(alive), [values[row] for row in alive]
        if not values:
            return
        try:
            arguments = field.arguments(self._variables)
        except GraphQLError as error:
            self._fail(field, slots, 0, dict.fromkeys(range(len(values)), error))
            return
        self._receive(field, slots, self._resolved(field, values, arguments))

    def _resolved(self, field: Field, roots: Sequence[Any], arguments: dict[str, Any]) -> Any:
        """Return the column of the field's values, or an awaitable of it."""
        info = self._info(field)
        if field.many is not None:
            with suppress(Exception):  # it may be the error of one object, so each is then resolved by itself
                return field.many(roots, info, **arguments)
        return [_outcome(field, root, info, arguments) for root in roots]

    def _receive(self, field: Field, slots: Slots, column: Any) -> None:
        """Complete a column, when all its values are there."""
        if is_awaitable(column):
            self._waiting.add([column], [0], partial(self._receive_one, field, slots))
            return
        kinds = set(map(type, column))
        if any(hasattr(kind, "__await__") for kind in kinds):
            column = list(column)
            indices = [index for index, value in enumerate(column) if is_awaitable(value)]
            self._waiting.add(column, indices, partial(self._receive_late, field, slots))
            return
        self._complete(field, slots, 0, column, kinds)

    def _receive_one(self, field: Field, slots: Slots, columns: list[Any]) -> None:
        (column,) = columns
        if isinstance(column, BaseException):
            column = [column] * len(slots.rows)
        self._receive(field, slots, column)

    def _receive_late(self, field: Field, slots: Slots, column: list[Any]) -> None:
        if self._errors.have_nulled:
            alive = [index for index in range(len(column)) if not self._errors.is_nulled(slots.path(index))]
            slots, column = slots.only(alive), [column[index] for index in alive]
        self._complete(field, slots, 0, column, set(map(type, column)))

    def _complete(self, field: Field, slots: Slots, depth: int, column: Sequence[Any], kinds: set[type]) -> None:
        """Write the answers of a column's values, or start the fields of its objects."""
        if any(issubclass(kind, BaseException) for kind in kinds):
            errors = {index: value for index, value in enumerate(column) if isinstance(value, BaseException)}
            self._fail(field, slots, depth, errors)
            slots, column = _without(errors, slots, column)
            kinds = set(map(type, column))
        if type(Undefined) in kinds:
            column = [None if value is Undefined else value for value in column]
            kinds = set(map(type, column))
        if _NONE in kinds and (field.lifts[depth] or not field.is_leaf or depth < field.depth):
            nulls = {index for index, value in enumerate(column) if value is None}
            if field.lifts[depth]:
                self._fail(field, slots, depth, dict.fromkeys(nulls, _null_error(field)))
            slots, column = _without(nulls, slots, column)
            kinds.discard(_NONE)
        if not column:
            return
        if depth < field.depth:
            self._complete_lists(field, slots, depth, column)
        elif field.is_leaf:
            self._complete_leaves(field, slots, depth, column, kinds)
        else:
            self._complete_objects(field, slots, depth, column)

    def _complete_lists(self, field: Field, slots: Slots, depth: int, lists: Sequence[Any]) -> None:
        wrong = {index: _not_iterable(field) for index, value in enumerate(lists) if not is_iterable(value)}
        if wrong:
            self._fail(field, slots, depth, wrong)
            slots, lists = _without(wrong, slots, lists)
        rows: list[int] = []
        keys: list[int] = []
        items: list[Any] = []
        containers: list[list[Any]] = []
        answers: list[list[Any]] = []
        for row, value in enumerate(lists):
            before = len(items)
            items.extend(value)
            count = len(items) - before
            answer: list[Any] = [None] * count
            answers.append(answer)
            rows.extend([row] * count)
            keys.extend(range(count))
            containers.extend([answer] * count)
        slots.fill(answers)
        self._complete(field, Slots(slots, rows, containers, keys=keys), depth + 1, items, set(map(type, items)))

    def _complete_leaves(self, field: Field, slots: Slots, depth: int, column: Sequence[Any], kinds: set[type]) -> None:
        serialized = field.serialize(column, kinds) if field.serialize else None
        if serialized is None:
            answers: list[Any] = []
            errors: dict[int, BaseException] = {}
            for index, value in enumerate(column):
                answer = None
                try:
                    if value is not None:
                        answer = ExecutionContext.complete_leaf_value(field.named_type, value)
                except Exception as error:  # noqa: BLE001 whatever a scalar raises is the error of this value
                    errors[index] = error
                answers.append(answer)
            serialized = answers
            self._fail(field, slots, depth, errors)
        slots.fill(serialized)

    def _complete_objects(self, field: Field, slots: Slots, depth: int, column: Sequence[Any]) -> None:
        if not field.is_abstract:
            self._complete_type(field, field.named_type, slots, depth, column, range(len(column)))
            return
        by_type: dict[GraphQLObjectType, list[int]] = {}
        errors: dict[int, BaseException] = {}
        for index, value in enumerate(column):
            try:
                by_type.setdefault(self._type_of(field, value), []).append(index)
            except Exception as error:  # noqa: BLE001 whatever a type resolver raises is the error of this object
                errors[index] = error
        self._fail(field, slots, depth, errors)
        for type_, indices in by_type.items():
            self._complete_type(field, type_, slots, depth, [column[index] for index in indices], indices)

    def _complete_type(
        self,
        field: Field,
        type_: GraphQLObjectType,
        slots: Slots,
        depth: int,
        column: Sequence[Any],
        indices: Sequence[int],
    ) -> None:
        """Start the fields of objects of one type. `indices` are their positions in `slots`."""
        try:
            place = field.place_of(type_)
        except GraphQLError as error:
            self._fail(field, slots, depth, dict.fromkeys(indices, error))
            return
        objects = Objects(place, column, slots, indices)
        (slots if len(indices) == len(slots.rows) else slots.only(indices)).fill(objects.answers)
        self._start_all(objects)

    def _type_of(self, field: Field, value: object) -> GraphQLObjectType:
        """Return the type of an object behind an interface or union. Raises GraphQLError if it has none."""
        info = self._info(field)
        resolve_type = field.named_type.resolve_type or default_type_resolver
        name = resolve_type(value, info, field.named_type)
        type_ = self._plan.schema.get_type(name) if isinstance(name, str) else None
        if not isinstance(type_, GraphQLObjectType) or not self._plan.schema.is_sub_type(field.named_type, type_):
            raise GraphQLError(
                f"Abstract type '{field.named_type.name}' must resolve to one of its Object types at runtime"
                f" for field '{field.place.type.name}.{field.name}', not to {inspect(name)}.",
                field.nodes,
            )
        return type_

    def _fail(self, field: Field, slots: Slots, depth: int, errors: "dict[int, Any]") -> None:
        """Add the errors of some positions of a column."""
        for index, error in errors.items():
            if not isinstance(error, Exception):  # the execution itself was cancelled
                raise error
            path = slots.path(index)
            self._errors.add(located_error(error, field.nodes, list(path)), path, field.lifts[depth])

    def _info(self, field: Field) -> GraphQLResolveInfo:
        """Return what the field's resolver may ask for. It is the same for all objects: its path has no indices."""
        plan = self._plan
        return GraphQLResolveInfo(
            field.name,
            field.nodes,
            field.definition.type,
            field.place.type,
            CorePath(None, field.key, field.place.type.name),
            plan.schema,
            plan.fragments,
            self._root_value,
            plan.operation,
            self._variables,
            self._context,
            is_awaitable,
        )


def _outcome(field: Field, root: object, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Any:
    """Return the value of one object, or the exception that its resolver raised."""
    try:
        return field.resolve(root, info, **arguments)
    except Exception as error:  # noqa: BLE001 whatever a resolver raises is the error of this object
        return error


def _without(indices: "dict[int, Any] | set[int]", slots: Slots, column: Sequence[Any]) -> tuple[Slots, Sequence[Any]]:
    """Return the positions and values except those at `indices`."""
    kept = [index for index in range(len(column)) if index not in indices]
    return slots.only(kept), [column[index] for index in kept]


def _null_error(field: Field) -> TypeError:
    return TypeError(f"Cannot return null for non-nullable field {field.place.type.name}.{field.name}.")


def _not_iterable(field: Field) -> GraphQLError:
    return GraphQLError(f"Expected Iterable, but did not find one for field '{field.place.type.name}.{field.name}'.")
