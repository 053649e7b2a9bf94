"""Parse, limit and validate documents. Valid documents are cached, because most clients send the same few documents."""

from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache
from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    ValuesOfCorrectTypeRule,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input
from gateway_service.gateway.execution.limits import TooComplex, check_shape, cost_within_limit
from gateway_service.gateway.execution.persisted import document_text, register
from gateway_service.gateway.execution.values import LiteralsOfCorrectType, variable_errors
from gateway_service.gateway.schema import schema

_MAX_ERRORS: Final = 10
_RULES: Final = tuple(LiteralsOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules)
_TOO_MANY_TOKENS: Final = "Document contains more than"

_validated_documents: Final[LRUCache[str, DocumentNode]] = LRUCache(maxsize=500)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that passed every check.

    `definition` is the operation's node in `document`. `name` is the request's `operationName`. `cost` is the estimated
    number of objects in the answer.
    """

    document: DocumentNode
    definition: OperationDefinitionNode
    name: str | None
    variables: dict[str, object]
    cost: int

    @property
    def subscribes(self) -> bool:
        """Whether the operation is a subscription."""
        return self.definition.operation is OperationType.SUBSCRIPTION


def prepare(payload: object) -> Prepared:
    """Return the operation that a request's JSON asks for.

    Raises InvalidRequest if the request is malformed, invalid or too complex.
    """
    query, name, variables = _parts(payload)
    if len(query.encode("utf-8", "surrogatepass")) > settings.GRAPHQL_MAX_BYTES:
        raise InvalidRequest([TooComplex(f"longer than {settings.GRAPHQL_MAX_BYTES} bytes")])
    document = _validated_documents.get(query)
    if document is None:
        document = _validated_documents[query] = _validated(query)
    register(payload, query)
    definition = get_operation_ast(document, name)
    if definition is None:
        raise InvalidRequest([bad_input("Name one of the document's operations.")])
    try:
        cost = cost_within_limit(schema.graphql_schema, document, definition, variables)
    except TooComplex as error:
        raise InvalidRequest([error]) from None
    if errors := variable_errors(schema.graphql_schema, definition, variables):
        raise InvalidRequest(errors)
    return Prepared(document, definition, name, variables, cost)


def _parts(payload: object) -> tuple[str, str | None, dict[str, object]]:
    if not isinstance(payload, dict):
        raise InvalidRequest([bad_input("The request must be one JSON object; operations are not batched.")])
    query, name, variables = document_text(payload), payload.get("operationName"), payload.get("variables")
    if name is not None and not isinstance(name, str):
        raise InvalidRequest([bad_input("`operationName` must be a string.")])
    if variables is not None and not isinstance(variables, dict):
        raise InvalidRequest([bad_input("`variables` must be an object.")])
    return query, name or None, variables or {}


def _validated(query: str) -> DocumentNode:
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
    errors = validate(schema.graphql_schema, document, rules, max_errors=_MAX_ERRORS)
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
