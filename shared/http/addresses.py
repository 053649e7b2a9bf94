"""The network address of the client that sent a request, which may come through trusted proxies."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest

_ONE_SUBSCRIBER: Final = 64  # bits: a provider gives each subscriber at least a /64, with 2^64 addresses to choose from


def client_ip(request: HttpRequest) -> str:
    """Return the client's address, from the peer and the X-Forwarded-For header of the request.

    See `client_address`.
    """
    return client_address(
        peer=request.META.get("REMOTE_ADDR") or "", forwarded_for=request.headers.get("X-Forwarded-For", "")
    )


def client_address(*, peer: str, forwarded_for: str) -> str:
    """Return the client's address. An IPv4 address that is written as IPv6 (`::ffff:…`) is returned as IPv4.

    It is `peer`. If `peer` is a trusted proxy (TRUSTED_PROXIES), it is the last address in `forwarded_for` that is not
    a trusted proxy, so that a client cannot pretend another address. A malformed address there ends the search.
    """
    address = _parsed(peer)
    if address is None:
        return peer
    forwarded = [part.strip() for part in forwarded_for.split(",")]
    while forwarded and _is_trusted(address) and (before := _parsed(forwarded.pop())) is not None:
        address = before
    return str(address)


def network_of(address: str) -> str:
    """Return what a rate limit counts for `address`: its /64 if it is IPv6, else the address itself.

    A text that is no address is returned unchanged.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _ONE_SUBSCRIBER), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
