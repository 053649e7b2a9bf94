"""Counters that every gateway process shares. Valkey away is never a reason to refuse: the services keep their own limits."""

import asyncio
import weakref
from typing import Any, Final

import redis.asyncio as redis
import structlog
from django.conf import settings

_PREFIX: Final = "gateway"
_TIMEOUT_SECONDS: Final = 0.5

log = structlog.get_logger("gateway")

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()


def client() -> Any:
    """Return the running loop's client."""
    loop = asyncio.get_running_loop()
    found = _clients.get(loop)
    if found is None:
        found = _clients[loop] = redis.from_url(
            settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
    return found


def key(*parts: str) -> str:
    """Return the key of a counter."""
    return ":".join((_PREFIX, *parts))


async def close() -> None:
    """Close the running loop's client."""
    found = _clients.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.aclose()
