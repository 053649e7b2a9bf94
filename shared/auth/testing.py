"""Real keys for tests. The code under test verifies travellers' tokens and services' credentials as in production."""

import base64
import json
import os
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth import credentials, tokens
from shared.auth.jwks import jwk_of
from shared.ids import uuid7

KID = "test-key"
SERVICES = ("users", "destinations", "bookings", "notifications", "gateway")


@cache
def traveller_key() -> Ed25519PrivateKey:
    """Return the key that tests sign travellers' tokens with."""
    return Ed25519PrivateKey.generate()


@cache
def service_keys() -> dict[str, Ed25519PrivateKey]:
    """Return a key per service."""
    return {name: Ed25519PrivateKey.generate() for name in SERVICES}


def install(folder: Path) -> None:
    """Make this process trust the test keys: travellers' by a key set in `folder`, services' by the environment."""
    path = folder / "jwks.json"
    path.write_text(json.dumps({"keys": [jwk_of(KID, traveller_key().public_key())]}))
    os.environ["TRAVEL_JWKS_FILE"] = str(path)
    os.environ["SERVICE_PUBLIC_KEYS"] = json.dumps(
        {name: _b64(key.public_key().public_bytes_raw()) for name, key in service_keys().items()}
    )
    os.environ["SERVICE_PRIVATE_KEYS"] = json.dumps(
        {name: _b64(key.private_bytes_raw()) for name, key in service_keys().items()}
    )
    os.environ.pop("SERVICE_PRIVATE_KEY", None)
    for cached in (tokens.key_set, credentials.public_keys, credentials._private_key, credentials._signed_by):
        cached.cache_clear()
    credentials._issued.clear()


def mint_access_token(
    user_id: UUID | None = None, *, session_id: UUID | None = None, roles: Collection[str] = (), **claims: Any
) -> str:
    """Return an access token as users_service makes it; `claims` replace single claims, and None removes one."""
    now = int(time.time())
    payload = {
        "sub": str(user_id or uuid7()),
        "sid": str(session_id or uuid7()),
        "roles": sorted(roles),
        "token_use": "access",
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "iat": now,
        "auth_time": now,
        "exp": now + 300,
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        traveller_key(),
        algorithm=tokens.ALGORITHM,
        headers={"kid": KID},
    )


def credential_of(name: str, audience: str, *, now: float | None = None) -> str:
    """Return a credential that service `name` made for `audience`."""
    return credentials.sign(name=name, key=service_keys()[name], audience=audience, now=now or time.time())


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
