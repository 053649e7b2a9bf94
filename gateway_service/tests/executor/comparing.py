"""Execute a document with graphql-core and by a plan, and compare the answers.

graphql-core's errors depend on time in one case: a null that an error has moved up covers several errors, and
graphql-core lists those that came before it. There the plan's error must be one of all errors that exist.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    execute,
    parse,
)

from gateway_service.gateway.execution.breadth_first.run import execute_plan
from gateway_service.gateway.execution.operations import ValidOperation
from gateway_service.gateway.operation.profile_languages import profile_languages
from gateway_service.gateway.schema import schema
from gateway_service.tests.executor.documents import Document
from gateway_service.tests.executor.upstream import Upstream

Shown = tuple[Any, ...]


@dataclass
class Case:
    """A document, what the services answer, and who asks."""

    document: Document
    upstream: Callable[[], Upstream]
    context: Callable[[Upstream], Any]
    root_value: Any = None


class _EveryError(ExecutionContext):
    """graphql-core, but an error nulls nothing above it. So every error is found, in whatever order they come."""

    def handle_field_error(self, error: GraphQLError, return_type: Any, path: Any) -> None:
        self.collected_errors.errors.append(error)


def assert_same(case: Case) -> None:
    """Assert that both executors give the same data, the same errors, and that the plan calls no service more often."""
    document = parse(case.document.text)
    core_upstream, upstream = case.upstream(), case.upstream()
    expected = _run(lambda: _core(case, document, case.context(core_upstream)))
    answer = _run(lambda: _planned(case, document, case.context(upstream)))

    assert json.dumps(answer.data) == json.dumps(expected.data)
    ours, theirs = _by_null(answer), _by_null(expected)
    assert ours.keys() == theirs.keys()
    moved = {null for null, errors in theirs.items() if any(error[1] != null for error in errors)}
    assert {null: errors for null, errors in ours.items() if null not in moved} == {
        null: errors for null, errors in theirs.items() if null not in moved
    }
    if moved:
        everything = _run(lambda: _core(case, document, case.context(case.upstream()), _EveryError))
        every = {_shown(error) for error in everything.errors or ()}
        for null in moved:
            assert len(ours[null]) == 1
            assert ours[null] <= every
            if len(theirs[null]) == 1 and len({error for error in every if error[1][: len(null)] == null}) == 1:
                assert ours[null] == theirs[null]
    else:
        assert _errors(answer) == _errors(expected)  # in the same order


async def _core(case: Case, document: DocumentNode, context: Any, how: Any = None) -> ExecutionResult:
    result = execute(
        schema.graphql_schema,
        document,
        case.root_value,
        context,
        case.document.variables,
        execution_context_class=how,
    )
    return result if isinstance(result, ExecutionResult) else await result


async def _planned(case: Case, document: DocumentNode, context: Any) -> ExecutionResult:
    (definition,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    operation = ValidOperation(document, definition)
    variables, errors = operation.coerced(case.document.variables)
    assert not errors
    plan = operation.plan(variables)
    assert plan is not None
    return await execute_plan(plan, variables=variables, context=context, root_value=case.root_value)


def _run(main: Callable[[], Any]) -> ExecutionResult:
    profile_languages.clear()
    return asyncio.run(main())


def _errors(result: ExecutionResult) -> list[Shown]:
    return [_shown(error) for error in result.errors or ()]


def _shown(error: GraphQLError) -> Shown:
    cause = error.original_error
    return (
        error.message,
        tuple(error.path or ()),
        tuple(error.locations or ()),
        type(cause),
        getattr(cause, "code", None),
    )


def _by_null(result: ExecutionResult) -> dict[tuple[Any, ...], set[Shown]]:
    """Return the errors by the position in the data that is null because of them."""
    groups: dict[tuple[Any, ...], set[Shown]] = {}
    for error in result.errors or ():
        groups.setdefault(_null(result.data, tuple(error.path or ())), set()).add(_shown(error))
    return groups


def _null(data: Any, path: tuple[Any, ...]) -> tuple[Any, ...]:
    for length, key in enumerate(path):
        if data is None:
            return path[:length]
        data = data[key]
    assert data is None
    return path
