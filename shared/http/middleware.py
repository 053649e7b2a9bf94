"""The outermost middleware of a request: its id, trace and language, and one access log entry when it ends."""

import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import structlog
from django.conf import settings
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


def client_ip(request: HttpRequest) -> str:
    """Return the caller's network address: the peer's, or the one that a trusted proxy (TRUSTED_PROXIES) names.

    X-Forwarded-For is read from the right, past trusted proxies, so that a caller cannot pretend another address.
    """
    trusted = [ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES]
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while hops and _within(address, trusted):
        candidate = hops.pop()
        if not _is_address(candidate):
            break
        address = candidate
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)
