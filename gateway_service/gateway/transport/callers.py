"""The caller of a request: the traveller whom a bearer token names."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from django.conf import settings

from shared.auth import Traveller, remembered_traveller, verify_access_token
from shared.auth.open_connections import open_connections
from shared.errors import Unauthenticated

_SCHEME: Final = "bearer"
_MAX_HEADER: Final = 8_192


async def traveller_of(authorization: str | None) -> Traveller | None:
    """Return the traveller of an Authorization header, or None without a header.

    Raises Unauthenticated for a header without a valid bearer token: such a request is never treated as anonymous.
    Raises Unavailable while no key is known that verifies tokens.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME or not token or len(authorization) > _MAX_HEADER:
        raise Unauthenticated
    token = token.strip()
    # Another thread costs a wait for the processor each way, and most tokens were verified before.
    return remembered_traveller(token) or await asyncio.to_thread(verify_access_token, token)


def seconds_valid(traveller: Traveller) -> float:
    """Return for how many seconds from now a socket or stream may still use the verified token.

    That is until `exp`. Clocks may differ, so a token that arrives up to TOKEN_LEEWAY_SECONDS after `exp` is accepted
    as well. It may be used until that leeway ends.
    """
    seconds = traveller.expires_at - time.time()
    return seconds if seconds > 0 else max(0.0, seconds + settings.TOKEN_LEEWAY_SECONDS)


@contextlib.contextmanager
def until_revoked(traveller: Traveller, revoked: Callable[[], None]) -> Iterator[None]:
    """Call `revoked` in the running event loop if the traveller's token is revoked during the block."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its connections with it
            loop.call_soon_threadsafe(revoked)

    with open_connections.open(traveller, end=end):
        yield
