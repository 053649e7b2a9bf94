"""The one middleware of Django in the gateway: an unexpected exception of a view is logged and shows no detail.

What holds for every answer, Django's or not, is in http.py.
"""

from collections.abc import Awaitable, Callable

import structlog
from asgiref.sync import markcoroutinefunction
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from gateway_service.gateway.transport.problems import failed

# Django answers these exceptions itself, with 400, 403 or 404.
_ANSWERED = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)

log = structlog.get_logger("access")


class GatewayMiddleware:
    """Answers an unexpected exception with 500 and without its detail, even in DEBUG."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        response = await self._get_response(request)
        vars(response)["_has_been_logged"] = True  # stops Django's own log entry for 4xx and 5xx
        return response

    async def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Log the exception of a view, and answer 500 without its detail."""
        if isinstance(exception, _ANSWERED):
            return None
        log.error("request_failed", path=request.path[:200], exc_info=exception)
        return failed(request)
