"""What a User-Agent header and a network address say about a device. Both can be invented, so nothing is allowed by
them: they only help an owner to recognise their devices.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from ua_parser import parse_os, parse_user_agent

_NETWORK_BITS: Final = {4: 24, 6: 48}
# The parser can return a piece of the header as it is. A piece with a dot could be the name of a website.
_NAME: Final = re.compile(r"[A-Za-z0-9 _+/-]{1,40}", re.ASCII)


def printable(user_agent: str) -> str:
    """Return the first 200 characters of a User-Agent header, without control characters."""
    kept = user_agent[:200]
    return kept if kept.isprintable() else "".join(character for character in kept if character.isprintable())


def in_words(user_agent: str) -> str:
    """Return the device in words, such as `Firefox on Linux`, without versions. Return "" if nothing is known of it."""
    browser, system = parse_user_agent(user_agent), parse_os(user_agent)
    names = [part.family for part in (browser, system) if part is not None]
    return " on ".join(name for name in names if _NAME.fullmatch(name) and name != "Other")


def network_of(address: str) -> IPv4Network | IPv6Network | None:
    """Return the network of a device: the /24 of an IPv4 address, the /48 of an IPv6 address. None if it is neither.

    One household or company usually stays in it, though its addresses change.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return ip_network(f"{parsed}/{_NETWORK_BITS[parsed.version]}", strict=False)
