"""One HTTP request, as the gateway's own ASGI code reads it: without Django, and only what is asked for."""

import time
from functools import cached_property

from django.conf import settings

from gateway_service.gateway.transport.asgi_types import Event, Receive, Scope
from shared.http.addresses import client_address
from shared.text import Locale, negotiate


class BodyTooLarge(Exception):
    """The body exceeds MAX_BODY_BYTES. It was not read to its end."""


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


class Request:
    """The method, path, headers and body of one request."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.arrived = time.monotonic()
        self._scope = scope
        self._receive = receive
        self._read = 0

    def header(self, name: bytes) -> str | None:
        """Return the value of the header `name` (in lower case), or None. Repeated headers are joined by commas."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @cached_property
    def _headers(self) -> dict[bytes, bytes]:
        headers: dict[bytes, bytes] = {}
        for name, value in self._scope["headers"]:
            if name in headers:
                value = headers[name] + (b"; " if name == b"cookie" else b",") + value
            headers[name] = value
        return headers

    @property
    def header_bytes(self) -> int:
        """The size of the header block and the query."""
        return header_bytes(self._scope)

    @cached_property
    def locale(self) -> Locale | None:
        """The language that Accept-Language prefers, or None."""
        return negotiate(self.header(b"accept-language"))

    @property
    def client_address(self) -> str:
        """The network address of the client."""
        peer = (self._scope.get("client") or ("", 0))[0]
        return client_address(peer=peer, forwarded_for=self.header(b"x-forwarded-for") or "")

    @property
    def host(self) -> str:
        """The Host header, or the address that the client connected to."""
        if (host := self.header(b"host")) is not None:
            return host
        name, port = self._scope.get("server") or ("", None)
        return f"{name}:{port}"

    async def receive(self) -> Event:
        """Return the next ASGI event. Raises BodyTooLarge when the body exceeds MAX_BODY_BYTES."""
        event = await self._receive()
        self._read += len(event.get("body", b""))
        if self._read > settings.MAX_BODY_BYTES:
            raise BodyTooLarge
        return event

    async def body(self) -> bytes:
        """Read and return the whole body. Raises BodyTooLarge and ClientLeft."""
        parts = []
        while True:
            event = await self.receive()
            if event["type"] == "http.disconnect":
                raise ClientLeft
            parts.append(event.get("body", b""))
            if not event.get("more_body", False):
                return b"".join(parts)

    async def until_client_leaves(self) -> None:
        """Return when the client has closed the connection. Call it after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def header_bytes(scope: Scope) -> int:
    """Return the size of a connection's header block and query."""
    return sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope.get("query_string", b""))
