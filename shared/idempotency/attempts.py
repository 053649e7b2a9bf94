"""One attempt at a write under an idempotency key."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from shared.db import try_advisory_xact_lock
from shared.errors import InFlight, Invalid, KeyReused
from shared.idempotency.models import IdempotencyKey
from shared.text import Text

MAX_LENGTH: Final = 255


class InvalidKey(Invalid):
    """The key is not 1–255 visible ASCII characters."""

    text = Text(
        en="An idempotency key is 1 to 255 visible ASCII characters.",
        fr="Une clé d’idempotence compte de 1 à 255 caractères ASCII visibles.",
    )


class Attempt:
    """A request of `owner` under `key`. `request` is a dataclass or JSON-like value. A key belongs to one request for ever.

    Usage: ask `seen()` before slow checks; inside the transaction `lock()`, then `earlier_result()`; after the effect `succeeded(result)`.
    """

    def __init__(self, *, owner: UUID, key: str, request: Any) -> None:
        if not 0 < len(key) <= MAX_LENGTH or not all("!" <= character <= "~" for character in key):
            raise InvalidKey(field="idempotencyKey")
        self._owner = owner
        self._key = key
        self._fingerprint = fingerprint(request)

    def seen(self) -> bool:
        """Return whether the key has had its effect already."""
        return IdempotencyKey.objects.filter(owner=self._owner, key=self._key).exists()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the key until the surrounding transaction ends. Raises InFlight, at once, where another request holds it."""
        if not try_advisory_xact_lock("idempotency", self._owner, self._key):
            raise InFlight(retry_after=1)
        yield

    def earlier_result(self) -> UUID | None:
        """Return what the key made before, or None. Raises KeyReused where it came with another request."""
        row = IdempotencyKey.objects.filter(owner=self._owner, key=self._key).first()
        if row is None:
            return None
        if row.fingerprint != self._fingerprint:
            raise KeyReused
        return row.result

    def succeeded(self, *, result: UUID) -> None:
        """Note what the key made, to be committed with it."""
        IdempotencyKey.objects.create(owner=self._owner, key=self._key, fingerprint=self._fingerprint, result=result)

    def freed(self) -> None:
        """Take the key back, with the transaction that undoes its effect: the client may use it again."""
        IdempotencyKey.objects.filter(owner=self._owner, key=self._key).delete()


def fingerprint(request: Any) -> str:
    """Return the SHA-256 of the request, whatever the order of its members."""
    plain = (
        dataclasses.asdict(request) if dataclasses.is_dataclass(request) and not isinstance(request, type) else request
    )
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()
