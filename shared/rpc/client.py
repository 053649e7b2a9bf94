"""Calls methods of other services: `call` from sync code, `aio_call` from asyncio code.

A call takes the rest of the caller's deadline and passes on its request id, trace and language. A refusal of the other
service is raised as the same DomainError.
"""

from dataclasses import dataclass, field
from typing import Final, TypeVar

import grpc

from shared.deadline import Deadline
from shared.rpc.context import current_locale, current_request_id, current_traceparent
from shared.rpc.metadata import Metadata, Pairs
from shared.rpc.status import refusal_of
from shared.text import Locale

DEFAULT_DEADLINE: Final = 5.0
Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(frozen=True, slots=True)
class CallContext:
    """The context of an asyncio call: the traveller's token, the deadline, the request and the language."""

    token: str = ""
    deadline: Deadline = field(default_factory=lambda: Deadline.after(DEFAULT_DEADLINE))
    request_id: str = ""
    locale: Locale | None = None
    traceparent: str = ""


def call(
    method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    *,
    deadline: Deadline | None = None,
    traveller_token: str | None = None,
) -> Response:
    """Return the response of `method`, a method of a stub over a Channel.

    Raises the DomainError that the service raised, Unavailable or DeadlineExceeded if it did not answer, or RpcFailed
    if it failed unexpectedly.
    """
    until = deadline or Deadline.after(DEFAULT_DEADLINE)
    until.check()
    try:
        return method(request, timeout=until.remaining(), metadata=_metadata(token=traveller_token or ""))
    except grpc.RpcError as error:
        raise refusal_of(error) from error


async def aio_call(
    method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    *,
    context: CallContext | None = None,
) -> Response:
    """Return the response of `method`, a method of a stub over an AioChannel. Raises as `call` does."""
    context = context or CallContext()
    context.deadline.check()
    metadata = _metadata(
        token=context.token,
        request_id=context.request_id,
        locale=context.locale,
        traceparent=context.traceparent,
    )
    try:
        return await method(request, timeout=context.deadline.remaining(), metadata=metadata)
    except grpc.RpcError as error:
        raise refusal_of(error) from error


def _metadata(*, token: str, request_id: str = "", locale: Locale | None = None, traceparent: str = "") -> Pairs:
    return Metadata(
        traveller_token=token,
        request_id=request_id or current_request_id(),
        traceparent=traceparent or current_traceparent(),
        locale=locale or current_locale(),
    ).pairs()
