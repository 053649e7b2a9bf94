"""HTTP calls to the services behind the gateway: one client with a connection pool for each event loop."""

import asyncio
import weakref
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
from django.conf import settings

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 15.0

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = weakref.WeakKeyDictionary()


def client() -> httpx.AsyncClient:
    """Return the running event loop's client. It follows no redirect, keeps no cookie and uses no proxy.

    It connects from FACADE_SOURCE_ADDRESS if that is set, so that a service can tell the gateway from any other client.
    """
    loop = asyncio.get_running_loop()
    opened = _clients.get(loop)
    if opened is None:
        opened = _clients[loop] = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            transport=httpx.AsyncHTTPTransport(
                limits=httpx.Limits(max_connections=200, max_keepalive_connections=40, keepalive_expiry=4),
                local_address=settings.FACADE_SOURCE_ADDRESS or None,
                trust_env=False,
            ),
            # The client serves many travellers. If it kept a cookie, it would send the cookie for every traveller.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )
    return opened


async def close() -> None:
    """Close the running event loop's client."""
    opened = _clients.pop(asyncio.get_running_loop(), None)
    if opened is not None:
        await opened.aclose()
