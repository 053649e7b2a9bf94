"""Limit how many forms a network sends. While Valkey is unavailable, nothing is counted or refused."""

import hashlib
from typing import Final

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey
from shared.errors import RateLimited
from shared.http.addresses import network_of

WINDOW_SECONDS: Final = 15 * 60
log = structlog.get_logger(__name__)


async def count_form(ip_address: str) -> None:
    """Count one form of the network of `ip_address`. The first form starts a window of WINDOW_SECONDS.

    Raises RateLimited if the network has now sent more than PAGE_LIMIT_NETWORK forms. 0 is no limit.
    """
    # A hash, so that Valkey never has an address.
    key = valkey.key("page-forms", hashlib.sha256(network_of(ip_address).encode()).hexdigest())
    try:
        async with valkey.client().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, WINDOW_SECONDS, nx=True)
            pipe.ttl(key)
            count, _, seconds = await pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("page_forms_not_counted", error=type(error).__name__)
        return
    if 0 < settings.PAGE_LIMIT_NETWORK < int(count):
        raise RateLimited(retry_after=max(1, int(seconds)))
