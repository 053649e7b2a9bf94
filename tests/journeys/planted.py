"""What the journeys' travellers typed and were given, so that the last test can search the logs for it."""

import secrets
from collections import defaultdict
from enum import StrEnum
from string import ascii_lowercase


class Kind(StrEnum):
    """What a planted value is."""

    PASSWORD = "password"
    NAME = "name"
    ADDRESS = "address"
    ACCESS_TOKEN = "access token"
    REFRESH_TOKEN = "refresh token"
    LINK = "token of a mailed link"


planted: dict[Kind, set[str]] = defaultdict(set)


def plant(kind: Kind, value: str | None) -> str:
    """Remember a value, or the part of it that nothing else contains, and return it."""
    if value:
        planted[kind].add(value)
    return value or ""


def new_name() -> str:
    """Return a last name that is nobody's, and remember it."""
    return plant(Kind.NAME, "Kanari" + "".join(secrets.choice(ascii_lowercase) for _ in range(8)))


def new_password() -> str:
    """Return a password, and remember the part of it that survives every way to write a text."""
    core = secrets.token_hex(10)
    plant(Kind.PASSWORD, core)
    return f"{core} pass phrase"
