"""The keys that sign tokens. The first use makes one; each is stored encrypted, and its public half is published."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from shared.auth.jwks import jwk_of
from shared.db import lock_key
from shared.ids import uuid7
from users_service.accounts import key_cipher
from users_service.accounts.models import SigningKey

FRESH_SECONDS: Final = 30.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _KeySet:
    """The keys as read from the database. `signer` is the id of the key that signs; empty if every key is retired."""

    read_at: float
    keys: dict[str, Ed25519PrivateKey]
    signer: str


_cached: _KeySet | None = None


def signer() -> tuple[str, Ed25519PrivateKey]:
    """Return the id of the newest key that is not retired, and the key. Make a key if there is none."""
    known = _key_set()
    if not known.signer:
        make_key(only_if_none=True)
        known = _read()
    return known.signer, known.keys[known.signer]


def key(kid: str) -> Ed25519PrivateKey | None:
    """Return the key of that id, even if it is retired, or None if there is no such key."""
    return _key_set().keys.get(kid)


def jwks() -> dict[str, Any]:
    """Return the JWK set of every key, also the retired ones: tokens that they signed may still be valid."""
    signer()
    return {"keys": [jwk_of(kid, private.public_key()) for kid, private in _key_set().keys.items()]}


def make_key(*, only_if_none: bool = False) -> None:
    """Make a new signing key. With `only_if_none`, processes that start at the same time make only one."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("signing-key")])
        if only_if_none and _read().signer:
            return
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        SigningKey.objects.create(kid=uuid7().hex, private_key=key_cipher.encrypt(private))


def forget() -> None:
    """Drop the cached keys, so that the next call reads the database. Tests need it after they change keys."""
    global _cached
    _cached = None


def _key_set() -> _KeySet:
    """Return the keys, read from the database at most FRESH_SECONDS ago."""
    if _cached is not None and _cached.keys and time.monotonic() - _cached.read_at < FRESH_SECONDS:
        return _cached
    return _read()


def _read() -> _KeySet:
    global _cached
    rows = list(SigningKey.objects.order_by("-created_at"))
    keys = {row.kid: private for row in rows if (private := _private_key(row)) is not None}
    _cached = _KeySet(
        read_at=time.monotonic(),
        keys=keys,
        signer=next((row.kid for row in rows if row.retired_at is None and row.kid in keys), ""),
    )
    return _cached


def _private_key(row: SigningKey) -> Ed25519PrivateKey | None:
    """Return the row's key. Return None, and log the row at ERROR, if no secret decrypts it."""
    try:
        return Ed25519PrivateKey.from_private_bytes(key_cipher.decrypt(bytes(row.private_key)))
    except (key_cipher.Unreadable, ValueError):
        _report_unreadable(row.kid)
        return None


@cache
def _report_unreadable(kid: str) -> None:
    """Log it once in each process."""
    log.error("signing_key_unreadable", kid=kid, remedy="add the former secret to SIGNING_KEYS_SECRET_FALLBACKS")
