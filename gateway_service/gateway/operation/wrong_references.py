"""Limit guesses of booking references in `Query.booking`.

References are short, so a program could find a valid reference by trying. A traveller who used WRONG_REFERENCES wrong
references within WINDOW_SECONDS is refused. While Valkey is unavailable, nothing is counted or refused.

The limit covers only this query. Other fields and REST accept references without a limit. For a booking of another
traveller they answer as for a reference that does not exist, so a guess reveals nothing.
"""

from typing import Final

import structlog
from redis.exceptions import RedisError

from gateway_service.gateway.upstream import valkey
from shared.auth import Traveller
from shared.errors import RateLimited

WRONG_REFERENCES: Final = 60
WINDOW_SECONDS: Final = 60

log = structlog.get_logger(__name__)


async def check_limit(traveller: Traveller) -> None:
    """Raise RateLimited if the traveller has used WRONG_REFERENCES wrong references in this window."""
    try:
        count = await valkey.client().get(_key(traveller))
    except (RedisError, OSError) as error:
        log.warning("guesses_not_counted", error=type(error).__name__)
        return
    if count is not None and int(count) >= WRONG_REFERENCES:
        raise RateLimited(retry_after=WINDOW_SECONDS)


async def note(traveller: Traveller) -> None:
    """Count one wrong reference of the traveller. The first wrong reference starts a window of WINDOW_SECONDS."""
    try:
        async with valkey.client().pipeline() as pipe:
            pipe.incr(_key(traveller))
            pipe.expire(_key(traveller), WINDOW_SECONDS, nx=True)
            await pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("guesses_not_counted", error=type(error).__name__)


def _key(traveller: Traveller) -> str:
    return valkey.key("wrong-references", str(traveller.id))
