"""Limit how often a traveller may guess booking references: references are short, so wrong ones are counted."""

from typing import Final

import structlog
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey
from shared.auth import Traveller
from shared.errors import RateLimited

WRONG_REFERENCES: Final = 60
WINDOW_SECONDS: Final = 60

log = structlog.get_logger(__name__)


async def check_reference(traveller: Traveller) -> None:
    """Raise RateLimited if the traveller named WRONG_REFERENCES unknown references within a minute."""
    try:
        count = await valkey.client().get(_key(traveller))
    except (RedisError, OSError) as error:
        log.warning("wrong references are not counted", error=type(error).__name__)
        return
    if count is not None and int(count) >= WRONG_REFERENCES:
        raise RateLimited(retry_after=WINDOW_SECONDS)


async def note_wrong_reference(traveller: Traveller) -> None:
    """Count one wrong reference of the traveller."""
    try:
        async with valkey.client().pipeline() as pipe:
            pipe.incr(_key(traveller))
            pipe.expire(_key(traveller), WINDOW_SECONDS, nx=True)
            await pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("wrong references are not counted", error=type(error).__name__)


def _key(traveller: Traveller) -> str:
    return valkey.key("wrong-references", str(traveller.id))
