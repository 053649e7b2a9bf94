"""The network address of the client that sent a request, which may come through trusted proxies."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """Return the client's address, from the peer and the X-Forwarded-For header of the request.

    See `client_address`.
    """
    return client_address(
        peer=request.META.get("REMOTE_ADDR") or "", forwarded_for=request.headers.get("X-Forwarded-For", "")
    )


def client_address(*, peer: str, forwarded_for: str) -> str:
    """Return the client's address.

    It is `peer`. If `peer` is a trusted proxy (TRUSTED_PROXIES), it is the last address in `forwarded_for` that is not
    a trusted proxy, so that a client cannot pretend another address. A malformed address there ends the search.
    """
    address = peer
    forwarded = [part.strip() for part in forwarded_for.split(",")]
    while forwarded and _is_trusted(address):
        try:
            address = str(ip_address(forwarded.pop()))
        except ValueError:
            break
    return address


def _is_trusted(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)
