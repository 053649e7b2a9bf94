"""Refusals over HTTP as RFC 9457 problem+json, without internal detail."""

from http import HTTPStatus
from typing import Final

import orjson
from django.http import HttpRequest, HttpResponse

from shared.telemetry import current_request_id

CONTENT_TYPE: Final = "application/problem+json"


def problem_body(status: int, code: str, detail: str = "") -> bytes:
    """Return the JSON text of a problem (RFC 9457). Clients rely on `code`."""
    phrase = HTTPStatus(status).phrase
    return orjson.dumps(
        {
            "type": "about:blank",
            "title": phrase,
            "status": status,
            "code": code,
            "detail": detail or f"{phrase}.",
            "request_id": current_request_id(),
        }
    )


def problem(status: int, code: str, detail: str = "", retry_after: int | None = None) -> HttpResponse:
    """Return a problem+json answer."""
    response = HttpResponse(problem_body(status, code, detail), status=status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that cannot be read."""
    return problem(400, "BAD_USER_INPUT")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a path that is not served."""
    return problem(404, "NOT_FOUND")


def failed(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected failure."""
    return problem(500, "INTERNAL")
