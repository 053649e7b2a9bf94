"""The outermost middleware of a request: its id, trace and language, and one access log entry when it ends. And
Django's own redirect to an address with a slash at its end, made safe for an API.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.utils.cache import patch_vary_headers

from shared.telemetry import bind_request
from shared.text import negotiate

log = structlog.get_logger("access")

QUIET_PATHS = ("/health/",)
_READS: Final = frozenset({"GET", "HEAD"})


class RequestContextMiddleware:
    """Bind request id, trace and language for the code inside, answer with the id, and log the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request inside its context."""
        began = time.perf_counter()
        with bind_request(
            request.headers.get("X-Request-Id"),
            request.headers.get("traceparent"),
            negotiate(request.headers.get("Accept-Language")),
        ) as request_id:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            if request.path.startswith("/api/"):
                patch_vary_headers(response, ["Accept-Language"])  # texts and refusals are in the caller's language
            if _is_personal(request):
                response.setdefault("Cache-Control", "no-store")
            if not request.path.startswith(QUIET_PATHS):
                log.info(
                    "request",
                    method=request.method,
                    path=request.path[:200],
                    status=response.status_code,
                    ms=round(1000 * (time.perf_counter() - began), 1),
                )
        return response


class SlashMiddleware(CommonMiddleware):
    """Redirect to the address with a slash only what was asked by GET or HEAD.

    A client follows a redirect of a POST by GET, without the body. In DEBUG, Django answers 500 to it.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Return whether the address exists only with a slash, and the request may be repeated there."""
        return request.method in _READS and super().should_redirect_with_slash(request)


def _is_personal(request: HttpRequest) -> bool:
    """Return whether the answer may have somebody's data or tokens. No browser or proxy may keep it."""
    return request.method not in _READS or "Authorization" in request.headers
