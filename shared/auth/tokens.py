"""Travellers' access tokens: only EdDSA, only known keys, every claim checked, and the same refusal for every fault.

A token of a session that has ended is refused too: `revocations` knows the sessions.

A client sends the same token many times, and a signature costs half a millisecond to verify. So verified tokens are
remembered. What can change after the verification is checked each time: expiry, the key, and the session.
"""

import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
MAX_VERIFIED: Final = 5_000  # tokens that a process remembers, about 5 MB


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


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a verified token says. It holds until `refused_at`, in seconds since the epoch, while `kid` is `key`."""

    traveller: Traveller
    kid: str
    key: Ed25519PublicKey
    refused_at: float

    def holds(self) -> bool:
        """Return whether the token has not expired and users_service still publishes the key that signed it."""
        return time.time() < self.refused_at and key_set().key(self.kid) is self.key


class _VerifiedTokens:
    """The verified tokens by their digest. Threads may share it. Beyond MAX_VERIFIED the oldest is forgotten."""

    def __init__(self) -> None:
        self._tokens: dict[bytes, _Verified] = {}
        self._lock = threading.Lock()

    def get(self, digest: bytes) -> _Verified | None:
        """Return what a token says, if it still holds."""
        verified = self._tokens.get(digest)
        if verified is None or verified.holds():
            return verified
        with self._lock:
            self._tokens.pop(digest, None)
        return None

    def peek(self, digest: bytes) -> _Verified | None:
        """Return what a token said, whether it still holds or not."""
        return self._tokens.get(digest)

    def put(self, digest: bytes, verified: _Verified) -> None:
        """Remember a token."""
        with self._lock:
            self._tokens[digest] = verified
            while len(self._tokens) > MAX_VERIFIED:
                del self._tokens[next(iter(self._tokens))]


_verified_tokens = _VerifiedTokens()


def verify_access_token(token: str) -> Traveller:
    """Return the traveller of `token`.

    Raises Unauthenticated, the same for every fault, or Unavailable while no key is known.
    """
    if not token or len(token) > _MAX_TOKEN:
        raise Unauthenticated
    try:
        digest = _digest(token)
        verified = _verified_tokens.get(digest)
        if verified is None:
            verified = _verify(token)
            _verified_tokens.put(digest, verified)
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError):
        raise Unauthenticated from None
    if revocations.has_ended(verified.traveller.session_id):
        raise Unauthenticated
    return verified.traveller


def remembered_traveller(token: str) -> Traveller | None:
    """Return the traveller of a token that this process has verified before, or None if anything has to be looked at
    again. Never waits, so an event loop may call it. `verify_access_token` says what is wrong.
    """
    if not token or len(token) > _MAX_TOKEN:
        return None
    verified = _verified_tokens.peek(_digest(token))
    if verified is None or not key_set().has(verified.kid) or not verified.holds():
        return None
    return None if revocations.has_ended(verified.traveller.session_id) else verified.traveller


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _verify(token: str) -> _Verified:
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID:
        raise Unauthenticated
    key = key_set().key(kid)
    if key is None:
        raise Unauthenticated
    leeway = env.whole_number("TOKEN_LEEWAY_SECONDS", default=30)
    claims = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=leeway,
        options={"require": ["exp", "iat", "sub", "sid", "token_use"]},
    )
    if claims["token_use"] != _ACCESS:
        raise Unauthenticated
    return _Verified(_traveller_of(token, claims), kid, key, refused_at=int(claims["exp"]) + leeway)


def _traveller_of(token: str, claims: dict[str, Any]) -> Traveller:
    return Traveller(
        id=UUID(claims["sub"]),
        session_id=UUID(claims["sid"]),
        roles=frozenset(map(str, claims.get("roles") or ())),
        token=token,
        expires_at=int(claims["exp"]),
        authenticated_at=int(claims.get("auth_time") or 0),
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
