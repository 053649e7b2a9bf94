"""The one middleware of the gateway: request id, host check, security headers, and one access log entry per request."""

import time
from collections.abc import Awaitable, Callable

import structlog
from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from gateway_service.gateway.transport.problems import failed, problem
from shared.telemetry import bind_request
from shared.text import negotiate

# Django answers these exceptions itself, with 400, 403 or 404.
_ANSWERED = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)

log = structlog.get_logger("access")


class GatewayMiddleware:
    """Binds the request id for log entries, refuses unknown hosts, adds security headers and logs the request.

    An answer to an unexpected exception shows no detail, even in DEBUG.
    """

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        started = time.monotonic()
        headers = request.headers
        locale = negotiate(headers.get("Accept-Language"))
        with bind_request(headers.get("X-Request-Id"), headers.get("traceparent"), locale) as request_id:
            try:
                request.get_host()
            except DisallowedHost:
                response: HttpResponseBase = problem(400, "BAD_USER_INPUT", "Unknown host.")
            else:
                response = await self._get_response(request)
            response["X-Request-Id"] = request_id
            _add_headers(response)
            vars(response)["_has_been_logged"] = True  # stops Django's own log entry for 4xx and 5xx
            log.info(
                "request",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                ms=round((time.monotonic() - started) * 1000, 1),
            )
            return response

    async def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Log the exception of a view, and answer 500 without its detail."""
        if isinstance(exception, _ANSWERED):
            return None
        log.error("request_failed", path=request.path[:200], exc_info=exception)
        return failed(request)


def _add_headers(response: HttpResponseBase) -> None:
    response.setdefault("X-Content-Type-Options", "nosniff")
    response.setdefault("X-Frame-Options", "DENY")
    response.setdefault("Referrer-Policy", "same-origin")
    response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if settings.SECURE_HSTS_SECONDS:
        response.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
