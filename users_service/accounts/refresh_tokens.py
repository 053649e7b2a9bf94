"""Refresh tokens: opaque texts that name a session and one of its rotations. No signing key is involved.

A token is `trf_` and the base64url form of the session's id, the rotation's id (jti) and an HMAC-SHA256 of both. The
prefix lets scanners and the log's redaction find it. Of the secrets, the newest makes tokens and every one checks them.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final
from uuid import UUID

from django.conf import settings

PREFIX: Final = "trf_"
_PURPOSE: Final = b"travel.users.refresh-token.v1:"  # the same secret could sign something else one day
_ID_BYTES: Final = 16
_LENGTH: Final = len(PREFIX) + 86  # 64 bytes in base64url, without padding


def make_refresh_token(*, session_id: UUID, jti: UUID) -> str:
    """Return the token. The same ids give the same token, as long as the newest secret is the same."""
    ids = session_id.bytes + jti.bytes
    return _written(ids + _signature(ids, settings.REFRESH_TOKEN_SECRETS[0]))


def read_refresh_token(token: str) -> tuple[UUID, UUID] | None:
    """Return the session's id and the jti of a token that one of the secrets made, else None."""
    if len(token) != _LENGTH or not token.startswith(PREFIX):
        return None
    try:
        raw = base64.b64decode(token[len(PREFIX) :] + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    ids, signature = raw[: 2 * _ID_BYTES], raw[2 * _ID_BYTES :]
    matches = [hmac.compare_digest(signature, _signature(ids, secret)) for secret in settings.REFRESH_TOKEN_SECRETS]
    if not any(matches) or _written(raw) != token:  # base64 has several spellings of the same bytes
        return None
    return UUID(bytes=ids[:_ID_BYTES]), UUID(bytes=ids[_ID_BYTES:])


def _written(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signature(ids: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + ids, hashlib.sha256)
