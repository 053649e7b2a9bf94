"""Bad bearer tokens of every kind, made from a valid one."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.journeys.travellers import Traveller


def bad_tokens(traveller: Traveller) -> dict[str, str]:
    """Return a bad token of every kind by its name. None of them may be accepted anywhere."""
    header, payload, signature = str(traveller.token).split(".")
    claims = jwt.decode(str(traveller.token), options={"verify_signature": False})
    kid = jwt.get_unverified_header(str(traveller.token))["kid"]
    own = Ed25519PrivateKey.generate()
    return {
        "garbage": "x",
        "three parts": "a.b.c",
        "no signature": f"{header}.{payload}.",
        "another signature": f"{header}.{payload}.{_part(b'0' * 64)}",
        "no algorithm": f"{_part({'alg': 'none', 'kid': kid})}.{payload}.",
        "a shared secret": _hs256(kid, claims),
        "an unknown key": jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": "unknown"}),
        "an attacker's key under a known name": jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": kid}),
        "another subject": f"{header}.{_part({**claims, 'sub': str(uuid.uuid4())})}.{signature}",
        "a later end": f"{header}.{_part({**claims, 'exp': int(time.time()) + 10**6})}.{signature}",
        "a refresh token": str(traveller.refresh_token),
        "a token of 5 kB": "A" * 5_000,
    }


def _hs256(kid: str, claims: dict[str, Any]) -> str:
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_part(claims)}"
    return f"{signed}.{_part(hmac.new(kid.encode(), signed.encode(), hashlib.sha256).digest())}"


def _part(part: bytes | dict[str, Any]) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
