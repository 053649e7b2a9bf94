"""Executing a prepared operation for one traveller."""

import inspect
from collections.abc import AsyncIterator
from typing import Any

import structlog
from graphql import ExecutionResult, execute, subscribe

from gateway_service.gateway.execution.documents import Prepared
from gateway_service.gateway.execution.errors import INTERNAL, body_of, body_of_refusal
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.schema import schema
from shared.errors import DomainError
from shared.rpc.status import RpcFailed

log = structlog.get_logger("gateway")


async def answer(prepared: Prepared, operation: Operation) -> dict[str, Any]:
    """Return the answer of a query or mutation; `data` is missing where its variables do not fit."""
    result = execute(
        schema.graphql_schema,
        prepared.document,
        variable_values=prepared.variables,
        operation_name=prepared.name,
        context_value=operation,
    )
    finished: ExecutionResult = await result if inspect.isawaitable(result) else result  # type: ignore[assignment]
    return await _told(finished, operation)


async def answers(prepared: Prepared, operation: Operation) -> AsyncIterator[dict[str, Any]]:
    """Yield the answers of a subscription, or the one of a query or mutation; one without `data` is the last."""
    if not prepared.subscribes:
        yield await answer(prepared, operation)
        return
    try:
        async for body in _subscribed(prepared, operation):
            yield body
    except DomainError as error:
        yield body_of_refusal(error, await operation.locale())
    except RpcFailed as error:
        log.error("subscription failed", exc_info=error)
        yield {"errors": [{"message": INTERNAL.in_(await operation.locale()), "extensions": {"code": "INTERNAL"}}]}


async def _subscribed(prepared: Prepared, operation: Operation) -> AsyncIterator[dict[str, Any]]:
    started = await subscribe(
        schema.graphql_schema,
        prepared.document,
        variable_values=prepared.variables,
        operation_name=prepared.name,
        context_value=operation,
    )
    if isinstance(started, ExecutionResult):
        yield await _told(started, operation)
        return
    try:
        async for result in started:
            yield await _told(result, operation)
    finally:
        close = getattr(started, "aclose", None)
        if close is not None:
            await close()


async def _told(result: ExecutionResult, operation: Operation) -> dict[str, Any]:
    if not result.errors:
        return {"data": result.data}
    body = body_of(result, await operation.locale())
    if result.data is None and not any(error.path for error in result.errors):
        body.pop("data")
    return body
