"""Valkey, for the counters that all gateway processes share. Valkey speaks Redis's protocol, so the client is `redis`.

While Valkey is unavailable, sockets are counted only within each process.
"""

import asyncio
import weakref
from typing import Final

import redis.asyncio as redis
from django.conf import settings

_PREFIX: Final = "gateway"
_TIMEOUT_SECONDS: Final = 0.5

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, redis.Redis] = weakref.WeakKeyDictionary()


def client() -> redis.Redis:
    """Return the running event loop's client."""
    loop = asyncio.get_running_loop()
    opened = _clients.get(loop)
    if opened is None:
        opened = _clients[loop] = redis.from_url(
            settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
    return opened


def key(*parts: str) -> str:
    """Return a counter's key: the gateway's prefix, then `parts`."""
    return ":".join((_PREFIX, *parts))


async def close() -> None:
    """Close the running event loop's client."""
    opened = _clients.pop(asyncio.get_running_loop(), None)
    if opened is not None:
        await opened.aclose()
