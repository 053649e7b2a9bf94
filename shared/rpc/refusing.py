"""How a method that raised is answered. The text of an unexpected exception is never sent."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

from typing import Any, NoReturn

import grpc
import structlog
from django.db import DataError, InterfaceError, OperationalError

from shared.errors import DeadlineExceeded, DomainError, Invalid, Unavailable, protocols_of
from shared.rpc.status import internal, status_of
from shared.text import Locale

log = structlog.get_logger("rpc")


def refusal_for(error: Exception) -> DomainError | None:
    """Return the refusal that `error` stands for, or None for an unexpected error."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded()
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_refused", error=type(error.__cause__ or error).__name__)
        return Unavailable(retry_after=1)
    if isinstance(error, DataError):  # such as NUL in a text, which no database text may contain
        log.warning("database_refused", error="DataError")
        return Invalid()
    return None


async def abort(context: grpc.aio.ServicerContext[Any, Any], refusal: DomainError | None, locale: Locale) -> NoReturn:
    """End the call with `refusal` and its google.rpc details, or with INTERNAL and no details at all."""
    status = status_of(refusal, locale) if refusal else internal()
    code = protocols_of(refusal).grpc if refusal else grpc.StatusCode.INTERNAL
    await context.abort(code, status.message, (("grpc-status-details-bin", status.SerializeToString()),))
    raise AssertionError("abort() never returns")
