"""The public keys of users_service: fetched once, kept, and fetched again at most every 30 s.

Old keys stay in use if a fetch fails.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from shared.errors import Unavailable

REFETCH_SECONDS: Final = 30.0
_MAX_BYTES: Final = 64_000
log = structlog.get_logger(__name__)


class KeySet:
    """Ed25519 keys by id. Threads may share it. Only one thread fetches at a time."""

    def __init__(self, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key, or None if users_service has no key of that name.

        An unknown name causes a fetch, at most every 30 s. Raises Unavailable if no key set was ever fetched.
        """
        key = self._keys.get(kid)
        if key is None:
            with self._lock:
                self._refresh()
            key = self._keys.get(kid)
            if key is None and not self._keys:
                raise Unavailable
        return key

    def _refresh(self) -> None:
        now = self._clock()
        wait = REFETCH_SECONDS if self._keys else 1.0
        if self._asked_at is not None and now - self._asked_at < wait:
            return
        self._asked_at = now
        try:
            self._keys = parse(self._fetch())
        except (OSError, ValueError) as error:
            log.warning("key_set_not_fetched", cause=type(error).__name__)


def parse(document: bytes) -> dict[str, Ed25519PublicKey]:
    """Return the Ed25519 keys of a JWK set and ignore other keys.

    Raises ValueError if the document is not a key set.
    """
    keys = {}
    for jwk in json.loads(document)["keys"]:
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and jwk.get("kid"):
            key = OKPAlgorithm.from_jwk(jwk)
            if isinstance(key, Ed25519PublicKey):
                keys[jwk["kid"]] = key
    return keys


def jwk_of(kid: str, key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the public JWK of a key."""
    return {**OKPAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "use": "sig", "alg": "EdDSA"}


def over_http(url: str) -> Callable[[], bytes]:
    """Return a function that fetches `url`, which the operator configured: only http or https, within 2 s, at most 64
    kB.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("JWKS_URL must be http or https")

    def fetch() -> bytes:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 — the scheme is checked above
            return bytes(response.read(_MAX_BYTES))

    return fetch
