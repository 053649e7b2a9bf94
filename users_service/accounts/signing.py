"""The keys that tokens are signed with: made on first need, kept encrypted, published by their public halves."""

import base64
import hashlib
import time
from functools import cache
from typing import Any, Final

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction

from shared.auth.jwks import jwk_of
from shared.db import lock_key
from shared.ids import uuid7
from users_service.accounts.models import SigningKey

FRESH_SECONDS: Final = 30.0
_held: dict[str, Any] = {"at": 0.0, "keys": {}, "signer": ""}


def signer() -> tuple[str, Ed25519PrivateKey]:
    """Return the newest unretired key and its id; the first call of an empty database makes one."""
    _refresh()
    if not _held["signer"]:
        make_key(only_if_none=True)
        _refresh(force=True)
    return _held["signer"], _held["keys"][_held["signer"]]


def key(kid: str) -> Ed25519PrivateKey | None:
    """Return the key of that id, retired ones included, or None."""
    _refresh()
    return _held["keys"].get(kid)  # type: ignore[no-any-return]


def jwks() -> dict[str, Any]:
    """Return the JWK set of every key that may have signed something still valid."""
    signer()
    return {"keys": [jwk_of(kid, private.public_key()) for kid, private in _held["keys"].items()]}


def make_key(*, only_if_none: bool = False) -> None:
    """Make a new signing key. With `only_if_none`, processes that start together make one between them."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("signing-key")])
        if only_if_none and SigningKey.objects.filter(retired_at__isnull=True).exists():
            return
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        SigningKey.objects.create(kid=uuid7().hex, private_key=_vault().encrypt(private))


def forget() -> None:
    """Read the keys again at the next call."""
    _held.update(at=0.0, keys={}, signer="")


def _refresh(*, force: bool = False) -> None:
    if not force and _held["keys"] and time.monotonic() - _held["at"] < FRESH_SECONDS:
        return
    rows = list(SigningKey.objects.order_by("-created_at"))
    keys = {row.kid: Ed25519PrivateKey.from_private_bytes(_vault().decrypt(bytes(row.private_key))) for row in rows}
    newest = next((row.kid for row in rows if row.retired_at is None), "")
    _held.update(at=time.monotonic(), keys=keys, signer=newest)


@cache
def _vault() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"signing-keys:{settings.SECRET_KEY!s}".encode()).digest()))
