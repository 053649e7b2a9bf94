"""Refusals over REST: RFC 9457 problem+json, from the table in shared.errors."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from shared.errors import (
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    protocols_of,
)
from shared.telemetry import current_locale, current_request_id

CONTENT_TYPE = "application/problem+json"
log = structlog.get_logger(__name__)


def body(*, status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return the members of a problem. `code` is its stable name, and support asks for `request_id`."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": current_request_id(),
        **more,
    }


def problem(error: DomainError) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return the problem's members, its HTTP status and its headers."""
    status = protocols_of(error).http
    more: dict[str, Any] = {}
    if error.params:
        more["params"] = error.params
    if error.field:
        more["errors"] = [{"field": _snake_case(error.field), "message": error.localized(current_locale())}]
    headers = {}
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="travel"'
    members = body(status=status, code=error.code, detail=error.localized(current_locale()), **more)
    return members, status, headers


def _snake_case(field: str) -> str:
    """Return the name of a field as requests over REST write it: refusals have the names of GraphQL."""
    return re.sub("(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0].lower()}", field)


def problem_response(error: DomainError) -> HttpResponse:
    """Return a plain Django response for a request that is refused before it reaches a view."""
    members, status, headers = problem(error)
    return JsonResponse(members, status=status, headers=headers, content_type=CONTENT_TYPE)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of a DRF view as problem+json.

    An unexpected one is logged and answered with 500 without details.
    """
    set_rollback()
    refused = _as_domain_error(error)
    if refused is not None:
        members, status, headers = problem(refused)
    elif isinstance(error, exceptions.ValidationError):
        status, headers = 400, {}
        members = _invalid(error)
    elif isinstance(error, exceptions.APIException):
        status = error.status_code
        wait = getattr(error, "wait", None)
        headers = {"Retry-After": str(int(wait))} if wait else {}
        code = getattr(error, "code", None) or str(error.default_code).upper()
        members = body(status=status, code=str(code), detail=str(error.detail))
    else:
        log.exception("request_failed", exc_info=error)
        status, headers = 500, {}
        members = body(status=500, code=DomainError.code, detail=DomainError().localized(current_locale()))
    response = Response(members, status=status, headers=headers, content_type=CONTENT_TYPE)
    # DRF's test client and middleware read it.
    response.exception = True
    return response


def _as_domain_error(error: Exception) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    for kinds, refusal in _KNOWN:
        if isinstance(error, kinds):
            return refusal()
    return None


_KNOWN: tuple[tuple[tuple[type[Exception], ...], type[DomainError]], ...] = (
    ((Http404, exceptions.NotFound), NotFound),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), Unauthenticated),
    ((PermissionDenied, exceptions.PermissionDenied), Forbidden),
    ((RequestDataTooBig,), TooLarge),
    ((exceptions.ParseError, SuspiciousOperation, DataError), Invalid),
    ((OperationalError, InterfaceError), Unavailable),
)


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    errors = list(_flattened(error.detail))
    code = next((row["code"] for row in errors if row["code"].isupper()), Invalid.code)
    return body(status=400, code=code, detail=Invalid().localized(current_locale()), errors=errors)


def _flattened(detail: Any, path: str = "") -> Any:
    """Yield field, message and code of each error. Names of nested fields are joined by dots."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flattened(inner, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flattened(inner, f"{path}.{index}" if nested and path else path)
    else:
        yield {"field": path or None, "message": str(detail), "code": str(getattr(detail, "code", "invalid"))}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that Django itself refuses, such as one for an unknown Host (handler400)."""
    return problem_response(Invalid())


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that is not allowed (handler403)."""
    return problem_response(Forbidden())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request for an unknown address (handler404)."""
    return problem_response(NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed, without details (handler500)."""
    return problem_response(DomainError())
