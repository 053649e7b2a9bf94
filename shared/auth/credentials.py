"""Services' credentials: short-lived tokens that a service signs with its own key for one other service."""

import base64
import json
import time
from functools import cache, lru_cache
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.auth.tokens import ALGORITHM
from shared.errors import Unauthenticated
from shared.settings.env import env, refuse, service_folder

LIFETIME_SECONDS: Final = 300
_RENEW_BEFORE: Final = 60
_issued: dict[str, tuple[str, float]] = {}


def own_name() -> str:
    """Return the name that this process signs with: users, destinations, bookings, notifications or gateway."""
    return service_folder().removesuffix("_service")


def service_credential(audience: str) -> str:
    """Return a credential of this service for `audience` that is valid for a minute or more."""
    token, expires_at = _issued.get(audience, ("", 0.0))
    now = time.time()
    if now > expires_at - _RENEW_BEFORE:
        expires_at = now + LIFETIME_SECONDS
        token = sign(name=own_name(), key=_private_key(), audience=audience, now=now)
        _issued[audience] = token, expires_at
    return token


def sign(*, name: str, key: Ed25519PrivateKey, audience: str, now: float) -> str:
    """Return a credential of service `name` for `audience`, valid for five minutes from `now` (seconds since the
    epoch).
    """
    claims = {"iss": name, "aud": audience, "iat": int(now), "exp": int(now) + LIFETIME_SECONDS, "token_use": "service"}
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify_service_credential(token: str) -> str:
    """Return the name of the service that made `token` for this service.

    Raises Unauthenticated, the same for every cause.

    A caller uses the same credential for minutes. Its signature is verified once, its expiry every time.
    """
    name, expires_at = _signed_by(token, own_name())
    if time.time() >= expires_at + env.whole_number("TOKEN_LEEWAY_SECONDS", default=30):
        raise Unauthenticated
    return name


@lru_cache(maxsize=64)
def _signed_by(token: str, audience: str) -> tuple[str, int]:
    """Return who made `token` and when it expires, in seconds since the epoch.

    Raises Unauthenticated, which is not cached.
    """
    try:
        name = jwt.decode(token, options={"verify_signature": False})["iss"]
        claims = jwt.decode(
            token,
            public_keys()[name],
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=name,
            leeway=env.whole_number("TOKEN_LEEWAY_SECONDS", default=30),
            options={"require": ["exp", "iat", "iss", "aud"], "strict_aud": True},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
        raise Unauthenticated from None
    if claims.get("token_use") != "service" or int(claims["exp"]) - int(claims["iat"]) > LIFETIME_SECONDS:
        raise Unauthenticated
    return str(name), int(claims["exp"])


@cache
def public_keys() -> dict[str, Ed25519PublicKey]:
    """Return every service's key from SERVICE_PUBLIC_KEYS. Ends the process if the variable is malformed."""
    return {
        name: Ed25519PublicKey.from_public_bytes(raw)
        for name, raw in _mapping("SERVICE_PUBLIC_KEYS", env.str("SERVICE_PUBLIC_KEYS")).items()
    }


@cache
def _private_key() -> Ed25519PrivateKey:
    own = env.str("SERVICE_PRIVATE_KEY", default="")
    if own:
        return Ed25519PrivateKey.from_private_bytes(_decoded("SERVICE_PRIVATE_KEY", own))
    many = env.str("SERVICE_PRIVATE_KEYS", default="")
    if not many:
        refuse("SERVICE_PRIVATE_KEY is not set")
    seed = _mapping("SERVICE_PRIVATE_KEYS", many).get(own_name())
    if seed is None:
        refuse(f"SERVICE_PRIVATE_KEYS is malformed: it has no entry {own_name()}")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _mapping(variable: str, text: str) -> dict[str, bytes]:
    try:
        return {str(name): _decoded(variable, value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError):
        refuse(f"{variable} is malformed: a JSON object of base64 Ed25519 keys is expected")


def _decoded(variable: str, text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 32:
        refuse(f"{variable} is malformed: a base64 Ed25519 key of 32 bytes is expected")
    return raw
