"""Execute an operation that passed every check, and return its answers."""

import functools
from collections.abc import AsyncGenerator

import structlog
from graphql import ExecutionResult, create_source_event_stream, execute

from gateway_service.gateway.execution.breadth_first.run import execute_plan
from gateway_service.gateway.execution.documents import Prepared
from gateway_service.gateway.execution.errors import INTERNAL, body_of, body_of_refusal
from gateway_service.gateway.execution.json_text import dumps
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.operation.shared_calls import shared_calls
from gateway_service.gateway.schema import schema
from shared.errors import DomainError
from shared.rpc.status import RpcFailed

Body = dict[str, object]

log = structlog.get_logger(__name__)


async def answer(prepared: Prepared, operation: Operation) -> Body:
    """Return the answer of a query or mutation. If its variables are invalid, the answer has no `data`."""
    return await _body(await _result(prepared, operation), operation)


async def _result(prepared: Prepared, operation: Operation, root_value: object = None) -> ExecutionResult:
    """Execute the operation by its plan, or else by graphql-core. `root_value` is the update of a subscription."""
    plan = prepared.operation.plan(prepared.coerced)
    if plan is not None:
        return await execute_plan(plan, variables=prepared.coerced, context=operation, root_value=root_value)
    result = execute(
        schema.graphql_schema,
        prepared.operation.document,
        root_value,
        variable_values=prepared.variables,
        operation_name=prepared.name,
        context_value=operation,
    )
    return result if isinstance(result, ExecutionResult) else await result


async def answers(prepared: Prepared, operation: Operation) -> AsyncGenerator[Body, None]:
    """Yield the answers of a subscription, or the single answer of a query or mutation.

    An answer without `data` is the last answer. Its errors say why the operation was refused or ended.
    """
    if not prepared.subscribes:
        yield await answer(prepared, operation)
        return
    try:
        async for body in _subscription_answers(prepared, operation):
            yield body
    except DomainError as error:
        yield body_of_refusal(error, await operation.locale())
    except RpcFailed as error:
        log.error("subscription_failed", exc_info=error)
        yield {"errors": [{"message": INTERNAL.in_(await operation.locale()), "extensions": {"code": "INTERNAL"}}]}


async def _subscription_answers(prepared: Prepared, operation: Operation) -> AsyncGenerator[Body, None]:
    updates = await create_source_event_stream(
        schema.graphql_schema,
        prepared.operation.document,
        variable_values=prepared.variables,
        operation_name=prepared.name,
        context_value=operation,
    )
    if isinstance(updates, ExecutionResult):
        yield await _body(updates, operation)
        return
    # Subscribers who send the same and get the same update share the execution.
    same = id(prepared.operation), dumps(prepared.variables), operation.token, operation.requested_locale
    try:
        async for update in updates:
            execution = functools.partial(_update_body, prepared, operation, update)
            yield await shared_calls.share((*same, update.identity), execution)
    finally:
        if isinstance(updates, AsyncGenerator):
            await updates.aclose()


async def _update_body(prepared: Prepared, operation: Operation, update: object) -> Body:
    return await _body(await _result(prepared, operation, update), operation)


async def _body(result: ExecutionResult, operation: Operation) -> Body:
    if not result.errors:
        return {"data": result.data}
    body = body_of(result, await operation.locale())
    if result.data is None and not any(error.path for error in result.errors):
        body.pop("data")
    return body
