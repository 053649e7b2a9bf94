"""The outermost middleware of a request: its id, trace and language, and one access log entry when it ends."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from shared.telemetry import bind_request
from shared.text import negotiate

log = structlog.get_logger("access")

QUIET_PATHS = ("/health/",)


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
            if not request.path.startswith(QUIET_PATHS):
                log.info(
                    "request",
                    method=request.method,
                    path=request.path[:200],
                    status=response.status_code,
                    ms=round(1000 * (time.perf_counter() - began), 1),
                )
        return response
