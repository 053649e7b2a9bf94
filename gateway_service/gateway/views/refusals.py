"""Answers that are refusals: RFC 9457 problem+json, never a traceback."""

import json

from django.http import HttpRequest, HttpResponse


def problem(status: int, title: str, detail: str = "", code: str = "", retry_after: int | None = None) -> HttpResponse:
    """Return a problem+json answer; its code, where none is given, is its title's: METHOD_NOT_ALLOWED."""
    stable = code or title.upper().replace(" ", "_")
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "code": stable}
    if detail:
        body["detail"] = detail
    response = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read."""
    return problem(400, "Bad Request", code="BAD_USER_INPUT")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a path that is not served."""
    return problem(404, "Not Found", code="NOT_FOUND")


def failed(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected failure."""
    return problem(500, "Internal Server Error", code="INTERNAL")
