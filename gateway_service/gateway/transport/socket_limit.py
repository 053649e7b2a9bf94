"""Limit the sockets that a traveller has open at a time, over all gateway processes.

Valkey counts them. While Valkey is unavailable, each process counts only its own sockets.
"""

import time
from collections import defaultdict
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey

_MARGIN_SECONDS: Final = 5

log = structlog.get_logger(__name__)


class SocketLimit:
    """Counts the open sockets of each traveller: in Valkey for all processes, and in memory for this process.

    If the process dies without `release`, Valkey counts the socket until _MARGIN_SECONDS after its token expired.
    """

    def __init__(self) -> None:
        self._open: defaultdict[UUID, dict[int, str]] = defaultdict(dict)

    async def admit(self, traveller: UUID, socket: object, *, seconds: float) -> bool:
        """Count `socket` and return True, or return False if the traveller already has SOCKET_LIMIT sockets.

        `seconds` is how long the socket's token is valid. A SOCKET_LIMIT of 0 means no limit.
        """
        limit = settings.SOCKET_LIMIT
        if not limit:
            return True
        name, now = uuid4().hex, time.time()
        if len(self._open[traveller]) >= limit:
            return False
        self._open[traveller][id(socket)] = name
        key = valkey.key("sockets", str(traveller))
        try:
            async with valkey.client().pipeline() as pipe:
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {name: now + seconds + _MARGIN_SECONDS})
                pipe.expire(key, int(seconds) + 60)
                pipe.zcard(key)
                count = (await pipe.execute())[-1]
        except (RedisError, OSError) as error:
            log.warning("sockets_counted_per_process", error=type(error).__name__)
            return True
        if count <= limit:
            return True
        await self.release(traveller, socket)
        return False

    async def release(self, traveller: UUID, socket: object) -> None:
        """Stop counting `socket`. Nothing happens if it was not admitted."""
        sockets = self._open.get(traveller, {})
        name = sockets.pop(id(socket), None)
        if not sockets:
            self._open.pop(traveller, None)
        if name is None:
            return
        try:
            await valkey.client().zrem(valkey.key("sockets", str(traveller)), name)
        except (RedisError, OSError) as error:
            log.warning("socket_not_released", error=type(error).__name__)
