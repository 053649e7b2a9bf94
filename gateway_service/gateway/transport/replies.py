"""The answer to one HTTP request: the headers that every answer has, and one access log entry.

Django's answers pass through `send`. The gateway's own ASGI code calls `whole`, or `begin` and `part` for a stream.
"""

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import structlog
from django.conf import settings

from gateway_service.gateway.transport import cors
from gateway_service.gateway.transport.asgi_types import Event, Header, Send
from gateway_service.gateway.transport.problems import CONTENT_TYPE, problem_body
from gateway_service.gateway.transport.requests import Request

_SECURITY: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
_REQUEST_ID: Final = b"x-request-id"

log = structlog.get_logger("access")


class Reply:
    """Sends the answer to `request`."""

    def __init__(self, request: Request, send: Send, request_id: str) -> None:
        self._request = request
        self._send = send
        self._request_id = request_id
        self.started = False

    async def whole(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Send an answer whose body is known."""
        length = () if status == HTTPStatus.NO_CONTENT else ((b"content-length", b"%d" % len(body)),)
        await self.begin(status, (*headers, *length))
        await self._send({"type": "http.response.body", "body": body})

    async def begin(self, status: int, headers: Iterable[Header]) -> None:
        """Send the status and the headers. The caller sends the body in parts."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def part(self, body: bytes, *, more: bool = True) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def problem(self, status: int, code: str, detail: str = "", *, close: bool = False) -> None:
        """Send problem+json, and close the connection afterwards if `close`."""
        headers = [(b"content-type", CONTENT_TYPE.encode()), NO_STORE]
        if close:
            headers.append((b"connection", b"close"))
        await self.whole(status, headers, problem_body(status, code, detail))

    async def send(self, event: Event) -> None:
        """Send an ASGI event of an answer. Add the common headers to its first event, and log the request."""
        if event["type"] == "http.response.start":
            self.started = True
            event = {**event, "headers": self._with_common_headers(event["headers"])}
            self._log(event["status"])
        await self._send(event)

    def _with_common_headers(self, headers: Iterable[Header]) -> list[Header]:
        """Return `headers` with the request's id, those of CORS, and each security header that they do not have."""
        own = [(name.lower(), value) for name, value in headers]
        names = {name for name, _ in own}
        own += [header for header in _SECURITY if header[0] not in names]
        if settings.SECURE_HSTS_SECONDS:
            own.append((b"strict-transport-security", b"max-age=%d" % settings.SECURE_HSTS_SECONDS))
        own += cors.answer_headers(self._request)
        own.append((_REQUEST_ID, self._request_id.encode()))
        return own

    def _log(self, status: int) -> None:
        log.info(
            "request",
            method=self._request.method,
            path=self._request.path[:200],
            status=status,
            ms=round((time.monotonic() - self._request.arrived) * 1000, 1),
        )
