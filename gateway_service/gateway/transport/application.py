"""The outermost layer: it routes connections, refuses requests that are too large, and closes connections at the end."""

import asyncio
import contextlib
import json
from typing import Final

from django.conf import settings

from gateway_service.gateway.live.feed import stop_feed
from gateway_service.gateway.transport import asgi
from gateway_service.gateway.transport.asgi import Event, Receive, Scope, Send
from gateway_service.gateway.transport.problems import CONTENT_TYPE, members
from gateway_service.gateway.transport.socket_limit import SocketLimit
from gateway_service.gateway.transport.websocket import Socket
from gateway_service.gateway.upstream import grpc, http, valkey

SOCKET_PATH: Final = "/graphql"


class _TooLarge(Exception):
    """The body exceeds MAX_BODY_BYTES."""


class Application:
    """Routes each connection: WebSockets to Socket, HTTP to Django within the limits."""

    def __init__(self, django: asgi.Application) -> None:
        self._django = django
        self._socket_limit = SocketLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._limited(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for close in (stop_feed, grpc.close_all, http.close, valkey.close):
            with contextlib.suppress(Exception):  # the others are closed even if one fails
                await asyncio.wait_for(close(), 3)
        await send({"type": "lifespan.shutdown.complete"})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != SOCKET_PATH or _header_bytes(scope) > settings.MAX_HEADER_BYTES:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await Socket(scope, receive, send, self._socket_limit).run()

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 431 or 413 without reading on, and close the connection, because the rest of the body follows on it."""
        if _header_bytes(scope) > settings.MAX_HEADER_BYTES:
            await _refuse(send, 431, "HEADERS_TOO_LARGE")
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > settings.MAX_BODY_BYTES:
            await _refuse(send, 413, "TOO_LARGE")
            return
        read, started = 0, False

        async def counted() -> Event:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > settings.MAX_BODY_BYTES:
                raise _TooLarge
            return message

        async def noted(message: Event) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._django(scope, counted, noted)
        except _TooLarge:
            if not started:
                await _refuse(send, 413, "TOO_LARGE")


def _header_bytes(scope: Scope) -> int:
    return sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope.get("query_string", b""))


async def _refuse(send: Send, status: int, code: str) -> None:
    body = json.dumps(members(status, code)).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
