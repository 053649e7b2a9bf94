"""Cross-origin requests (CORS): pages of CORS_ORIGINS may call GraphQL and REST, and pages of no other site may.

Such a page may send credentials, so the origins are named one by one, and `*` is refused.
"""

from typing import Final

from django.conf import settings

from gateway_service.gateway.transport.asgi_types import Header
from gateway_service.gateway.transport.requests import Request

_PATHS: Final = ("/graphql", "/api/v1/")
_VARY: Final[Header] = (b"vary", b"origin")
_CREDENTIALS: Final[Header] = (b"access-control-allow-credentials", b"true")
_EXPOSED: Final[Header] = (b"access-control-expose-headers", b"etag, location, retry-after, x-request-id")
_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"accept-language, authorization, content-type, idempotency-key, if-match, if-none-match, traceparent,"
        b" x-request-id, x-request-timeout-ms",
    ),
    (b"access-control-max-age", b"600"),
)


def answer_headers(request: Request) -> tuple[Header, ...]:
    """Return the headers that let the page that sent `request` read the answer. None of them for an unlisted page."""
    if not settings.CORS_ORIGINS or not request.path.startswith(_PATHS):
        return ()
    origin = request.header(b"origin")
    if origin not in settings.CORS_ORIGINS:
        return (_VARY,)
    return (_VARY, (b"access-control-allow-origin", origin.encode()), _CREDENTIALS, _EXPOSED)


def preflight_headers(request: Request) -> tuple[Header, ...]:
    """Return the headers of the answer to a browser that asks what a listed page may send.

    Empty for any other request, which is answered as if CORS did not exist.
    """
    if request.method != "OPTIONS" or request.header(b"access-control-request-method") is None:
        return ()
    listed = request.path.startswith(_PATHS) and request.header(b"origin") in settings.CORS_ORIGINS
    return _PREFLIGHT if listed else ()
