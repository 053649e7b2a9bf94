"""Refuse values that do not fit the schema. No refusal contains a value, because it may be a password."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLNullableType,
    GraphQLSchema,
    Undefined,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    coerce_input_value,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
    value_from_ast,
)

_MAX_ERRORS: Final = 10
_BAD_INPUT: Final = {"code": "BAD_USER_INPUT"}

Path = Sequence[str | int]

_TOKEN_VALUE: Final = re.compile(r"(BlockString|String|Int|Float|Name|sequence:) '.*'", re.DOTALL)
_ARGUMENT_VALUE: Final = re.compile(r"(Argument '\w+') has invalid value .*", re.DOTALL)


class LiteralsOfCorrectType(ValuesOfCorrectTypeRule):
    """graphql-core's rule for the literals of a document, with texts that contain no literal."""

    def report_error(self, error: GraphQLError) -> None:
        """Report what is expected. graphql-core's text is kept only for a field that is missing or unknown."""
        if not error.message.startswith("Field "):
            error = GraphQLError(f"Expected value of type '{self.context.get_input_type()}'.", error.nodes)
        super().report_error(error)


def without_values(message: str) -> str:
    """Return a text of graphql-core's parser or executor without the value that it quotes."""
    return _ARGUMENT_VALUE.sub(r"\1 is not valid.", _TOKEN_VALUE.sub(r"\1", message))


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of an operation. `type` is the type of its values."""

    definition: VariableDefinitionNode
    name: str
    type: Any

    @classmethod
    def of(cls, schema: GraphQLSchema, definition: VariableDefinitionNode) -> "Variable":
        """Return the variable of a valid definition."""
        return cls(definition, definition.variable.name.value, type_from_ast(schema, definition.type))


def coerced(variables: Sequence[Variable], values: Mapping[str, object]) -> tuple[dict[str, Any], list[GraphQLError]]:
    """Return the values as resolvers receive them, defaults included, and at most _MAX_ERRORS refusals.

    Each refusal names the variable, the path within it, and the expected type.
    """
    results: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    try:
        for variable in variables:
            value = _coerced(variable, values.get(variable.name, Undefined), errors)
            if value is not Undefined:
                results[variable.name] = value
    except RecursionError:
        errors = [GraphQLError("The variables are nested too deeply.", extensions=_BAD_INPUT)]
    return results, errors[:_MAX_ERRORS]


def _coerced(variable: Variable, value: object, errors: list[GraphQLError]) -> Any:
    """Return the coerced value, or the default, or Undefined. Append the refusals of the value to `errors`."""
    definition, expected = variable.definition, variable.type
    if value is Undefined:
        if definition.default_value is not None:
            return value_from_ast(definition.default_value, expected)
        if is_non_null_type(expected):
            errors.append(_error(definition, variable.name, f"a value of type '{expected}' is required"))
        return Undefined

    def refuse(path: Path, _value: object, error: GraphQLError) -> None:
        errors.append(_error(definition, _joined(variable.name, path), _reason(_type_at(expected, path), error)))

    return coerce_input_value(value, expected, refuse, hide_suggestions=True)


def _error(definition: VariableDefinitionNode, place: str, reason: str) -> GraphQLError:
    return GraphQLError(f"Variable '${place}': {reason}.", definition, extensions=_BAD_INPUT)


def _reason(expected: GraphQLInputType, error: GraphQLError) -> str:
    """Return what is expected. graphql-core's text is used only for a field that is missing or unknown: it names the
    field, and other texts contain the value.
    """
    if is_input_object_type(_nullable(expected)) and error.message.startswith("Field "):
        return error.message.rstrip(".")
    return f"a value of type '{expected}' is expected"


def _type_at(expected: GraphQLInputType, path: Path) -> GraphQLInputType:
    for key in path:
        inner = _nullable(expected)
        if isinstance(key, int) and is_list_type(inner):
            expected = inner.of_type
        else:
            expected = get_named_type(inner).fields[key].type
    return expected


def _joined(name: str, path: Path) -> str:
    return name + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def _nullable(expected: GraphQLInputType) -> Any:
    """Return the type without `!`. graphql-core's own signature leaves input types out."""
    return get_nullable_type(cast("GraphQLNullableType", expected))
