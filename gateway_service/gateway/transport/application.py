"""The ASGI application: it routes connections and refuses requests that are too large.

At startup it begins to read which sessions have ended. At shutdown it closes the connections to other processes: Kafka,
the services and Valkey.
"""

import asyncio
import json
from typing import Final

import structlog
from django.conf import settings

from gateway_service.gateway.live.feed import stop_feed
from gateway_service.gateway.transport import jwks_endpoint
from gateway_service.gateway.transport.asgi_types import AsgiApplication, Event, Receive, Scope, Send
from gateway_service.gateway.transport.graphql_websocket import Socket
from gateway_service.gateway.transport.problems import CONTENT_TYPE, problem_body
from gateway_service.gateway.transport.socket_limit import SocketLimit
from gateway_service.gateway.upstream import http_client, stubs, valkey
from shared.account_feed import account_feed
from shared.garbage import freeze_imported

SOCKET_PATH: Final = "/graphql"
log = structlog.get_logger(__name__)


class _TooLarge(Exception):
    """The body exceeds MAX_BODY_BYTES."""


class Application:
    """Passes WebSockets to Socket, and HTTP requests within the limits to Django."""

    def __init__(self, django: AsgiApplication) -> None:
        self._django = django
        self._socket_limit = SocketLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        account_feed().on_keys_changed.append(jwks_endpoint.forget)
        account_feed().start()
        freeze_imported()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        account_feed().stop()
        for close in (stop_feed, stubs.close_all, http_client.close, valkey.close):
            try:
                await asyncio.wait_for(close(), 3)
            except Exception as error:  # noqa: BLE001 - if one fails, the others are still closed
                log.warning("close_failed", module=close.__module__, error=type(error).__name__)
        await send({"type": "lifespan.shutdown.complete"})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != SOCKET_PATH or _header_bytes(scope) > settings.MAX_HEADER_BYTES:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await Socket(scope, receive, send, self._socket_limit).run()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to Django. Refuse too large headers with 431, and a too large body with 413.

        A refused body is not read to its end, so the answer closes the connection.
        """
        if _header_bytes(scope) > settings.MAX_HEADER_BYTES:
            await _refuse(send, 431, "HEADERS_TOO_LARGE")
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > settings.MAX_BODY_BYTES:
            await _refuse(send, 413, "TOO_LARGE")
            return
        read, started = 0, False

        async def receive_counted() -> Event:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > settings.MAX_BODY_BYTES:
                raise _TooLarge
            return message

        async def send_noted(message: Event) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._django(scope, receive_counted, send_noted)
        except _TooLarge:
            if not started:
                await _refuse(send, 413, "TOO_LARGE")


def _header_bytes(scope: Scope) -> int:
    return sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope.get("query_string", b""))


async def _refuse(send: Send, status: int, code: str) -> None:
    """Answer a problem and close the connection. No request id exists yet: the middleware makes it."""
    body = json.dumps(problem_body(status, code)).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
