"""Parse, limit and validate documents. Valid documents are cached, because most clients send the same few documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import LRUCache
from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    ValuesOfCorrectTypeRule,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input
from gateway_service.gateway.execution.limits import TooComplex, check_shape
from gateway_service.gateway.execution.operations import ValidOperation
from gateway_service.gateway.execution.persisted import document_text, register
from gateway_service.gateway.execution.values import LiteralsOfCorrectType
from gateway_service.gateway.schema import schema

_MAX_ERRORS: Final = 10
_RULES: Final = tuple(LiteralsOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules)
MAX_DOCUMENTS_SIZE: Final = 500_000  # characters of all documents that are kept; each takes 100 to 200 bytes parsed
_TOO_MANY_TOKENS: Final = "Document contains more than"


@dataclass(frozen=True, slots=True)
class _Valid:
    """A valid document, and those of its operations that were asked for, by the request's `operationName`."""

    size: int
    document: DocumentNode
    operations: dict[str | None, ValidOperation] = field(default_factory=dict)

    def operation(self, name: str | None) -> ValidOperation | None:
        """Return the operation that a request with this `operationName` asks for."""
        operation = self.operations.get(name)
        if operation is None and (definition := get_operation_ast(self.document, name)) is not None:
            operation = self.operations[name] = ValidOperation(self.document, definition)
        return operation


_valid_documents: Final[LRUCache[str, _Valid]] = LRUCache(MAX_DOCUMENTS_SIZE, getsizeof=lambda valid: valid.size)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that passed every check.

    `name` is the request's `operationName`. `variables` are the request's, `coerced` are those that resolvers receive.
    `cost` is the estimated number of objects in the answer.
    """

    operation: ValidOperation
    name: str | None
    variables: dict[str, object]
    coerced: dict[str, Any]
    cost: int

    @property
    def subscribes(self) -> bool:
        """Whether the operation is a subscription."""
        return self.operation.definition.operation is OperationType.SUBSCRIPTION


def prepare(payload: object) -> Prepared:
    """Return the operation that a request's JSON asks for.

    Raises InvalidRequest if the request is malformed, invalid or too complex.
    """
    if not isinstance(payload, dict):
        raise InvalidRequest([bad_input("The request must be one JSON object; operations are not batched.")])
    query, name, variables = _parts(payload)
    document = _valid_documents.get(query)
    if document is None:
        document = _valid_documents[query] = _Valid(len(query), _validated(query))
    register(payload, query)
    operation = document.operation(name)
    if operation is None:
        raise InvalidRequest([bad_input("Name one of the document's operations.")])
    coerced, errors = operation.coerced(variables)
    if errors:
        raise InvalidRequest(errors)
    try:
        cost = operation.cost(coerced)
    except TooComplex as error:
        raise InvalidRequest([error]) from None
    return Prepared(operation, name, variables, coerced, cost)


def _parts(payload: Mapping[str, object]) -> tuple[str, str | None, dict[str, object]]:
    query, name, variables = document_text(payload), payload.get("operationName"), payload.get("variables")
    if name is not None and not isinstance(name, str):
        raise InvalidRequest([bad_input("`operationName` must be a string.")])
    if variables is not None and not isinstance(variables, dict):
        raise InvalidRequest([bad_input("`variables` must be an object.")])
    return query, name or None, variables or {}


def _validated(query: str) -> DocumentNode:
    if len(query.encode("utf-8", "surrogatepass")) > settings.GRAPHQL_MAX_BYTES:
        raise InvalidRequest([TooComplex(f"longer than {settings.GRAPHQL_MAX_BYTES} bytes")])
    try:
        document = parse(query, max_tokens=settings.GRAPHQL_MAX_TOKENS)
        check_shape(document)
    except TooComplex as error:
        raise InvalidRequest([error]) from None
    except GraphQLSyntaxError as error:
        if _TOO_MANY_TOKENS in error.message:
            raise InvalidRequest([TooComplex(f"more than {settings.GRAPHQL_MAX_TOKENS} tokens")]) from None
        raise InvalidRequest([_as_bad_input(error)]) from None
    except RecursionError:
        raise InvalidRequest([TooComplex("nested too deeply")]) from None
    rules = _RULES if settings.DEBUG else (*_RULES, NoSchemaIntrospectionCustomRule)
    try:
        errors = validate(schema.graphql_schema, document, rules, max_errors=_MAX_ERRORS)
    except GraphQLError as error:  # graphql-core raises for a subscription under @skip or @include with a variable
        errors = [error]
    if errors:
        raise InvalidRequest([_as_bad_input(error) for error in errors])
    return document


def _as_bad_input(error: GraphQLError) -> GraphQLError:
    return GraphQLError(
        error.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        extensions={"code": "BAD_USER_INPUT"},
    )
