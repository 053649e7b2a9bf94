"""How many sockets a traveller holds, over all gateway processes: counted in Valkey, in this process alone while that is away."""

import time
from collections import defaultdict
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey

_MARGIN_SECONDS: Final = 5

log = structlog.get_logger("gateway.sockets")


class Places:
    """The places of this process's sockets; each is free again at the latest when its token has ended."""

    def __init__(self) -> None:
        self._here: defaultdict[UUID, dict[int, str]] = defaultdict(dict)

    async def take(self, traveller: UUID, socket: Any, *, seconds: float) -> bool:
        """Return whether the traveller may hold one more socket, for `seconds`; SOCKET_LIMIT of 0 is no limit."""
        limit = settings.SOCKET_LIMIT
        if not limit:
            return True
        name, now = uuid4().hex, time.time()
        if len(self._here[traveller]) >= limit:
            return False
        self._here[traveller][id(socket)] = name
        key = valkey.key("sockets", str(traveller))
        try:
            async with valkey.client().pipeline() as pipe:
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {name: now + seconds + _MARGIN_SECONDS})
                pipe.expire(key, int(seconds) + 60)
                counted = (await pipe.zcard(key).execute())[-1]
        except (RedisError, OSError) as error:
            log.warning("sockets are counted per process", error=type(error).__name__)
            return True
        if counted <= limit:
            return True
        await self.leave(traveller, socket)
        return False

    async def leave(self, traveller: UUID, socket: Any) -> None:
        """Give the place of `socket` back, if it holds one."""
        held = self._here.get(traveller, {})
        name = held.pop(id(socket), None)
        if not held:
            self._here.pop(traveller, None)
        if name is None:
            return
        try:
            await valkey.client().zrem(valkey.key("sockets", str(traveller)), name)
        except (RedisError, OSError) as error:
            log.warning("a socket's place ends with its token", error=type(error).__name__)
