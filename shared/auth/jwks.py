"""The public keys of users_service: fetched, kept, and fetched again every five minutes and when a key is unknown.

So a key that users_service no longer publishes is soon trusted by nobody. Old keys stay in use if a fetch fails.
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

REFRESH_SECONDS: Final = 300.0
REFETCH_SECONDS: Final = 30.0  # between two fetches for unknown names
RETRY_SECONDS: Final = 5.0
FETCH_SECONDS: Final = 2.0
_MAX_BYTES: Final = 64_000
log = structlog.get_logger(__name__)


class KeySet:
    """Ed25519 keys by id. Threads may share it. Only one thread fetches at a time.

    Old keys stay in use while users_service cannot be reached.
    """

    def __init__(self, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._asked_at: float | None = None
        self._due_at = 0.0
        self._lock = threading.Lock()
        self._background = threading.Lock()

    def key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key, or None if users_service has no key of that name.

        An unknown name causes a fetch, at most every 30 s. A set older than REFRESH_SECONDS is fetched again in the
        background, and no caller waits for that. Raises Unavailable if no key set was ever fetched.
        """
        key = self._keys.get(kid)
        if key is None:
            self._ask_for(kid)
            key = self._keys.get(kid)
            if key is None and not self._keys:
                raise Unavailable
        elif self._clock() >= self._due_at and self._background.acquire(blocking=False):
            threading.Thread(target=self._refresh_in_background, name="key-set", daemon=True).start()
        return key

    def has(self, kid: str) -> bool:
        """Return whether the key was fetched. Then `key` returns it without a wait."""
        return kid in self._keys

    def refetch(self) -> bool:
        """Fetch the set immediately, because its keys have changed. Return whether that succeeded."""
        with self._lock:
            return self._refresh()

    def _ask_for(self, kid: str) -> None:
        with self._lock:
            now = self._clock()
            wait = REFETCH_SECONDS if self._keys else 1.0
            if kid in self._keys or (self._asked_at is not None and now - self._asked_at < wait):
                return
            self._asked_at = now
            self._refresh()

    def _refresh_in_background(self) -> None:
        try:
            with self._lock:
                if self._clock() >= self._due_at:
                    self._refresh()
        finally:
            self._background.release()

    def _refresh(self) -> bool:
        try:
            self._keys = parse(self._fetch())
            self._due_at = self._clock() + REFRESH_SECONDS
            return True
        except Exception as error:  # noqa: BLE001 - whatever the answer was, the old keys stay in use
            log.warning("key_set_not_fetched", cause=type(error).__name__)
            self._due_at = self._clock() + RETRY_SECONDS
            return False


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
        until = time.monotonic() + FETCH_SECONDS
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as response:  # noqa: S310 — the scheme is checked above
            document = bytearray()
            # Part by part: the timeout of the socket is for each part, so an answer of single bytes would never end.
            while len(document) < _MAX_BYTES and (part := response.read1(_MAX_BYTES - len(document))):
                document += part
                if time.monotonic() > until:
                    raise TimeoutError
            return bytes(document)

    return fetch
