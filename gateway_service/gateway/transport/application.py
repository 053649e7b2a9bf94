"""The ASGI application: it routes connections.

At startup it begins to read which sessions have ended and what changed in the catalogue. At shutdown it closes the
connections to other processes: Kafka, the services and Valkey.
"""

import asyncio

import structlog
from django.conf import settings

from gateway_service.gateway.live.catalogue_feed import catalogue_feed, stop_catalogue_feed
from gateway_service.gateway.live.feed import stop_feed
from gateway_service.gateway.transport import jwks_endpoint
from gateway_service.gateway.transport.asgi_types import AsgiApplication, Receive, Scope, Send
from gateway_service.gateway.transport.graphql_websocket import Socket
from gateway_service.gateway.transport.http import GRAPHQL_PATH, Http
from gateway_service.gateway.transport.requests import header_bytes
from gateway_service.gateway.transport.socket_limit import SocketLimit
from gateway_service.gateway.upstream import http_client, stubs, valkey
from shared.account_feed import account_feed
from shared.garbage import freeze_imported

log = structlog.get_logger(__name__)


class Application:
    """Passes WebSockets to Socket, and HTTP requests to Http."""

    def __init__(self, django: AsgiApplication) -> None:
        self._http = Http(django)
        self._socket_limit = SocketLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        account_feed().on_keys_changed.append(jwks_endpoint.forget)
        account_feed().start()
        catalogue_feed().start()
        freeze_imported()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        account_feed().stop()
        for close in (stop_feed, stop_catalogue_feed, stubs.close_all, http_client.close, valkey.close):
            try:
                await asyncio.wait_for(close(), 3)
            except Exception as error:  # noqa: BLE001 - if one fails, the others are still closed
                log.warning("close_failed", module=close.__module__, error=type(error).__name__)
        await send({"type": "lifespan.shutdown.complete"})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != GRAPHQL_PATH or header_bytes(scope) > settings.MAX_HEADER_BYTES:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await Socket(scope, receive, send, self._socket_limit).run()
