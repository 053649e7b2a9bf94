"""How often a traveller may guess: references are short, so wrong ones are counted."""

from typing import Final

import structlog
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey
from shared.auth import Traveller
from shared.errors import RateLimited

WRONG_REFERENCES: Final = 60
WINDOW_SECONDS: Final = 60

log = structlog.get_logger("gateway")


async def check_reference(traveller: Traveller) -> None:
    """Raise RateLimited for a traveller who named too many references that are not theirs within a minute."""
    try:
        counted = await valkey.client().get(_key(traveller))
    except (RedisError, OSError) as error:
        log.warning("wrong references are not counted", error=type(error).__name__)
        return
    if counted is not None and int(counted) >= WRONG_REFERENCES:
        raise RateLimited(retry_after=WINDOW_SECONDS)


async def note_wrong_reference(traveller: Traveller) -> None:
    """Count one."""
    try:
        async with valkey.client().pipeline() as pipe:
            await pipe.incr(_key(traveller)).expire(_key(traveller), WINDOW_SECONDS, nx=True).execute()
    except (RedisError, OSError) as error:
        log.warning("wrong references are not counted", error=type(error).__name__)


def _key(traveller: Traveller) -> str:
    return valkey.key("wrong-references", str(traveller.id))
