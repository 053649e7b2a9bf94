"""Limit what the operations of a traveller, and of a network, may cost in a minute, over all gateway processes.

A process counts in memory, so that an operation waits for nothing. Once a second it adds its counts to Valkey's and
learns what the others have counted. While Valkey is unavailable, each process counts only its own operations.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey
from shared.errors import RateLimited
from shared.http.addresses import network_of

WINDOW_SECONDS: Final = 60
EXCHANGE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class CostLimit:
    """The counts of this process in the current minute, and what all processes had counted at the last exchange."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._minute = 0
        self._spent: Counter[str] = Counter()  # by subject, over all processes as far as known
        self._unshared: Counter[str] = Counter()  # by subject, not yet added to Valkey's counts
        self._exchange: asyncio.Task[None] | None = None

    def charge(self, cost: int, *, traveller_id: UUID | None, ip_address: str) -> None:
        """Count an operation of `cost` objects, at least 1, for its network and for its traveller, if there is one.

        Raises RateLimited, and counts nothing, if GRAPHQL_COST_LIMIT_TRAVELLER or GRAPHQL_COST_LIMIT_NETWORK would be
        exceeded. A limit of 0 is no limit.
        """
        self._begin_minute()
        limits = {f"network:{network_of(ip_address)}": settings.GRAPHQL_COST_LIMIT_NETWORK}
        if traveller_id is not None:
            limits[_traveller(traveller_id)] = settings.GRAPHQL_COST_LIMIT_TRAVELLER
        cost = max(1, cost)
        if any(0 < limit < self._spent[subject] + cost for subject, limit in limits.items()):
            raise RateLimited(retry_after=WINDOW_SECONDS - int(self.clock() % WINDOW_SECONDS))
        for subject, limit in limits.items():
            if limit:
                self._spent[subject] += cost
                self._unshared[subject] += cost
        self._exchange_soon()

    async def exchange(self) -> None:
        """Add the unshared counts to Valkey's. What is counted meanwhile is kept for the next exchange."""
        minute, added = self._minute, Counter(self._unshared)
        if not added:
            return
        async with valkey.client().pipeline(transaction=False) as pipe:
            for subject, cost in added.items():
                key = _key(subject, minute)
                pipe.incrby(key, cost)
                pipe.expire(key, 2 * WINDOW_SECONDS)
            totals = (await pipe.execute())[::2]
        if minute != self._minute:
            return
        self._unshared -= added
        for subject, total in zip(added, totals, strict=True):
            self._spent[subject] = int(total) + self._unshared[subject]

    def _begin_minute(self) -> None:
        minute = int(self.clock() // WINDOW_SECONDS)
        if minute != self._minute:
            self._minute = minute
            self._spent.clear()
            self._unshared.clear()

    def _exchange_soon(self) -> None:
        if self._unshared and (self._exchange is None or self._exchange.done()):
            self._exchange = asyncio.create_task(self._exchange_later())

    async def _exchange_later(self) -> None:
        await asyncio.sleep(EXCHANGE_SECONDS)
        try:
            await self.exchange()
        except (RedisError, OSError) as error:
            log.warning("costs_counted_per_process", error=type(error).__name__)


def _traveller(traveller_id: UUID) -> str:
    return f"traveller:{traveller_id}"


def _key(subject: str, minute: int) -> str:
    """Return the key of a count. It has a hash, so that Valkey never has an address."""
    return valkey.key("cost", str(minute), hashlib.sha256(subject.encode()).hexdigest())


cost_limit: Final = CostLimit()
