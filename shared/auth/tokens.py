"""Travellers' access tokens: only EdDSA, only known keys, every claim checked, and the same refusal for every fault.

A token of a session that has ended is refused too: `revocations` knows the sessions.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from uuid import UUID

import jwt

from shared.auth.jwks import KeySet, over_http
from shared.auth.revocations import revocations
from shared.errors import Unauthenticated
from shared.settings.env import env

ISSUER: Final = "travel.users"
AUDIENCE: Final = "travel"
ALGORITHM: Final = "EdDSA"
_ACCESS: Final = "access"
_MAX_TOKEN: Final = 4_096
_MAX_KID: Final = 64


@dataclass(frozen=True, slots=True)
class Traveller:
    """The person that an access token identifies.

    `roles` are staff groups. `expires_at` and `authenticated_at` are in seconds since the epoch. The latter is when the
    person last proved who they are, or 0 if the token does not say it.
    """

    id: UUID
    session_id: UUID
    roles: frozenset[str] = frozenset()
    token: str = field(default="", repr=False)
    expires_at: int = 0
    authenticated_at: int = 0

    # Django REST framework reads these of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> UUID:
        """The id, by the name that REST framework's throttles use."""
        return self.id


def verify_access_token(token: str) -> Traveller:
    """Return the traveller of `token`.

    Raises Unauthenticated, the same for every fault, or Unavailable while no key is known.
    """
    try:
        claims = _claims(token)
        if claims["token_use"] != _ACCESS:
            raise Unauthenticated
        session_id = UUID(claims["sid"])
        if revocations.has_ended(session_id):
            raise Unauthenticated
        return Traveller(
            id=UUID(claims["sub"]),
            session_id=session_id,
            roles=frozenset(map(str, claims.get("roles") or ())),
            token=token,
            expires_at=int(claims["exp"]),
            authenticated_at=int(claims.get("auth_time") or 0),
        )
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError):
        raise Unauthenticated from None


def _claims(token: str) -> dict[str, Any]:
    if not token or len(token) > _MAX_TOKEN:
        raise Unauthenticated
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID:
        raise Unauthenticated
    key = key_set().key(kid)
    if key is None:
        raise Unauthenticated
    return jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=env.whole_number("TOKEN_LEEWAY_SECONDS", default=30),
        options={"require": ["exp", "iat", "sub", "sid", "token_use"]},
    )


@cache
def key_set() -> KeySet:
    """Return the process's keys: of JWKS_URL, or what TRAVEL_JWKS_FILE holds in tests."""
    if path := os.environ.get("TRAVEL_JWKS_FILE"):

        def read() -> bytes:
            with open(path, "rb") as file:
                return file.read()

        return KeySet(read)
    return KeySet(over_http(env.str("JWKS_URL")))
