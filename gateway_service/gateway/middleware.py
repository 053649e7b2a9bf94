"""One asynchronous middleware for every HTTP answer: request id, host, headers that browsers obey, one line in the log."""

import time
from collections.abc import Awaitable, Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import async_only_middleware

from gateway_service.gateway.views.refusals import problem
from shared.telemetry import bind_request
from shared.text import negotiate

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

log = structlog.get_logger("access")


@async_only_middleware
def Edge(get_response: GetResponse) -> GetResponse:  # noqa: N802 - named like a middleware class
    """Bind the request's context, refuse hosts that are not ours, and dress the answer."""

    async def handle(request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        headers = request.headers
        spoken = negotiate(headers.get("Accept-Language"))
        with bind_request(headers.get("X-Request-Id"), headers.get("traceparent"), spoken) as request_id:
            try:
                request.get_host()
            except DisallowedHost:
                response: HttpResponseBase = problem(400, "Bad Request", "Unknown host.")
            else:
                response = await get_response(request)
            response["X-Request-Id"] = request_id
            _dress(response)
            log.info(
                "request",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                ms=round((time.monotonic() - started) * 1000, 1),
            )
            return response

    return handle


def _dress(response: HttpResponseBase) -> None:
    response.setdefault("X-Content-Type-Options", "nosniff")
    response.setdefault("X-Frame-Options", "DENY")
    response.setdefault("Referrer-Policy", "same-origin")
    response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if settings.SECURE_HSTS_SECONDS:
        response.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
