"""Who is at the other end: the traveller of a bearer token, and the network address behind trusted proxies."""

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
    """Return the traveller of an Authorization header, None without one.

    Raises Unauthenticated for anything but a good bearer token: a bad one is never treated as signed out.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME or not token or len(authorization) > _MAX_HEADER:
        raise Unauthenticated
    return await asyncio.to_thread(verify_access_token, token.strip())


def seconds_left(traveller: Traveller) -> float:
    """Return for how long the verified token still holds; one within the clocks' leeway holds until that ends."""
    left = traveller.expires_at - time.time()
    return left if left > 0 else max(0.0, left + settings.TOKEN_LEEWAY_SECONDS)


def address_of(peer: str, forwarded_for: Sequence[str]) -> str:
    """Return the client's address: the peer's, or where that is a trusted proxy the last one named that is none."""
    address = peer
    named = [part.strip() for header in forwarded_for for part in header.split(",")]
    while named and _trusted(address):
        candidate = named.pop()
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
