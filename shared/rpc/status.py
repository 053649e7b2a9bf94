"""A refusal on the wire: a DomainError becomes a google.rpc.Status, and the same DomainError again in the caller."""

import json
from typing import Any, Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from shared.errors import DeadlineExceeded, DomainError, RemoteRefusal, TooLarge, Unavailable, protocols_of
from shared.text import Locale

DOMAIN: Final = "travel"


class RpcFailed(Exception):
    """Another service failed unexpectedly. This is a bug of one of the two services, and only the log names it."""


def status_of(error: DomainError, locale: Locale) -> status_pb2.Status:
    """Return the status for `error`: its code, params and field, when to retry, and the message in `locale`."""
    message = error.localized(locale)
    params = {key: json.dumps(value, default=str) for key, value in error.params.items()}
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN, metadata=params)]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=int(retry_after))))
    details.append(error_details_pb2.LocalizedMessage(locale=locale.lower(), message=message))
    return status_pb2.Status(
        code=protocols_of(error).grpc.value[0], message=message, details=[_packed(detail) for detail in details]
    )


def internal() -> status_pb2.Status:
    """Return the status of an unexpected failure, without any detail."""
    return status_pb2.Status(code=code_pb2.INTERNAL, message="Internal error")


def refusal_of(error: Any) -> DomainError | RpcFailed:
    """Return the error of a failed call: the service's refusal, or the meaning of the transport's status."""
    code, text = error.code(), error.details() or ""
    if (refusal := _refusal_in(error)) is not None:
        return refusal
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
        return TooLarge()
    if code in _BUSY or (code is grpc.StatusCode.CANCELLED and "deadline" not in text.lower()):
        return Unavailable(retry_after=1)
    return RpcFailed(f"{code.name}: {text[:200]}")


_BUSY: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})


def _refusal_in(error: Any) -> DomainError | None:
    status = rpc_status.from_call(error) if error.trailing_metadata() else None
    if status is None:
        return None
    info, violation = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(violation.DESCRIPTOR):
            detail.Unpack(violation)
    if info.domain != DOMAIN:
        return None
    return RemoteRefusal.rebuild(
        code=info.reason,
        status=error.code(),
        message=status.message,
        field=violation.field_violations[0].field if violation.field_violations else None,
        params={key: json.loads(value) for key, value in info.metadata.items()},
    )


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
