"""Who calls: the traveller of a bearer token, and the client's network address behind trusted proxies."""

import asyncio
import ipaddress
import time
from collections.abc import Sequence
from typing import Final

from django.conf import settings

from shared.auth import Traveller, verify_access_token
from shared.errors import Unauthenticated

_SCHEME: Final = "bearer"
_MAX_HEADER: Final = 8_192


async def traveller_of(authorization: str | None) -> Traveller | None:
    """Return the traveller of an Authorization header, or None without a header.

    Raises Unauthenticated for anything except a valid bearer token: a bad token never counts as signed out.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME or not token or len(authorization) > _MAX_HEADER:
        raise Unauthenticated
    return await asyncio.to_thread(verify_access_token, token.strip())


def seconds_left(traveller: Traveller) -> float:
    """Return how long the verified token stays valid; for a token that has expired, the rest of the leeway for clocks."""
    seconds = traveller.expires_at - time.time()
    return seconds if seconds > 0 else max(0.0, seconds + settings.TOKEN_LEEWAY_SECONDS)


def address_of(peer: str, forwarded_for: Sequence[str]) -> str:
    """Return the client's address: the peer, or the last address in X-Forwarded-For that is not a trusted proxy's."""
    address = peer
    forwarded = [part.strip() for header in forwarded_for for part in header.split(",")]
    while forwarded and _trusted(address):
        candidate = forwarded.pop()
        try:
            address = str(ipaddress.ip_address(candidate))
        except ValueError:
            break
    return address


def _trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)
