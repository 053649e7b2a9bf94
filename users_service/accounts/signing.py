"""The keys that sign access tokens. The first use makes one. They are stored encrypted.

A key is published before it signs, so that every verifier knows it, and until the last token that it signed has ended.
A withdrawn key is neither used nor published. Each process keeps what it read for FRESH_SECONDS.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction

from shared.auth.jwks import jwk_of
from shared.db import database_now, lock_key
from shared.ids import uuid7
from users_service.accounts import key_cipher
from users_service.accounts.models import SigningKey

FRESH_SECONDS: Final = 30.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is not withdrawn, and when it signs."""

    kid: str
    private: Ed25519PrivateKey
    signs_from: datetime
    signs_until: datetime | None

    def signs(self, now: datetime) -> bool:
        """Return whether the key signs at `now`."""
        return self.signs_from <= now and (self.signs_until is None or now < self.signs_until)

    def is_published(self, now: datetime) -> bool:
        """Return whether the key will sign, signs, or has signed a token that may still be valid."""
        return self.signs_until is None or now < published_until(self.signs_until)


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys as read from the database, the key that signs last comes first."""

    read_at: float
    keys: tuple[Key, ...]


_cached: _Keys | None = None


def signer(*, at: datetime) -> tuple[str, Ed25519PrivateKey]:
    """Return the id of the key that signs tokens issued at `at`, and the key. Make a key if there is none.

    So a token that is made again, at a later time and by another process, is the same.
    """
    key = _signer(_known(), at)
    if key is None:
        make_first_key()
        key = _signer(_read(), at)
    if key is None:
        raise RuntimeError("The new signing key cannot be read.")
    return key.kid, key.private


def jwks() -> dict[str, Any]:
    """Return the JWK set of the published keys. It is read anew, so that a withdrawn key is gone immediately."""
    now = datetime.now(UTC)
    forget()
    signer(at=now)
    published = (key for key in _known().keys if key.is_published(now))
    return {"keys": [jwk_of(key.kid, key.private.public_key()) for key in published]}


def published_until(signs_until: datetime) -> datetime:
    """Return until when a key that signs up to `signs_until` is published.

    A process may use the keys that it has read for FRESH_SECONDS, so a retired key may sign for so long.
    """
    leeway = settings.TOKEN_LEEWAY + timedelta(seconds=FRESH_SECONDS)
    return signs_until + settings.ACCESS_TOKEN_LIFETIME + leeway


def make_first_key() -> None:
    """Make a key that signs from now on, unless there is one. Processes that start at the same time make only one."""
    with transaction.atomic():
        lock()
        now = database_now()
        if _signer(_read(), now) is None:
            make_key(signs_from=now)


def make_key(*, signs_from: datetime) -> SigningKey:
    """Store a new key that signs from `signs_from` on. The caller has called `lock`."""
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    return SigningKey.objects.create(kid=uuid7().hex, private_key=key_cipher.encrypt(private), activates_at=signs_from)


def lock() -> None:
    """Wait until no other transaction changes the keys. Lasts until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("signing-key")])


def forget() -> None:
    """Drop the cached keys, so that the next call reads the database."""
    global _cached
    _cached = None


def _signer(known: _Keys, at: datetime) -> Key | None:
    """Return the newest key that signs at `at`, else the key that signs next."""
    signing = (key for key in known.keys if key.signs(at))
    coming = (key for key in reversed(known.keys) if key.signs_from > at)
    return next(signing, None) or next(coming, None)


def _known() -> _Keys:
    """Return the keys, read from the database at most FRESH_SECONDS ago."""
    known = _cached
    if known is not None and known.keys and time.monotonic() - known.read_at < FRESH_SECONDS:
        return known
    return _read()


def _read() -> _Keys:
    global _cached
    rows = SigningKey.objects.filter(withdrawn_at__isnull=True)
    keys = [
        Key(row.kid, private, row.activates_at or row.created_at, row.retired_at)
        for row in rows
        if (private := _private_key(row)) is not None
    ]
    keys.sort(key=lambda key: (key.signs_from, key.kid), reverse=True)
    _cached = _Keys(read_at=time.monotonic(), keys=tuple(keys))
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
