"""Serve an ASGI application with uvicorn inside a test, and close what the gateway opened in the test's event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from gateway_service.gateway.live.catalogue_feed import stop_catalogue_feed
from gateway_service.gateway.live.feed import stop_feed
from gateway_service.gateway.upstream import http_client, stubs, valkey

HTTP_PROTOCOL = "gateway_service.gateway.transport.http_protocol:LimitedProtocol"


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """Yield the running server and its `host:port`. The server stops when the block ends."""
    config = uvicorn.Config(
        application, port=0, http=HTTP_PROTOCOL, ws="websockets-sansio", log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for this
        await asyncio.sleep(0.01)
    yield server, f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def close_connections() -> None:
    """Stop the feeds and close every client of the running event loop, as the gateway does when it stops."""
    for close in (stop_feed, stop_catalogue_feed, stubs.close_all, http_client.close, valkey.close):
        await close()
