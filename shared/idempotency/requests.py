"""An idempotent write: `with IdempotentRequest(...).once() as write` takes effect once, also if it is repeated."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from shared.db import lock_key
from shared.errors import InFlight, Invalid, KeyReused
from shared.idempotency.models import IdempotencyKey
from shared.statement import Insert, Statement, one_round_trip
from shared.text import Text

MAX_LENGTH: Final = 255


class _UsedKey(NamedTuple):
    fingerprint: str
    result: UUID


_TRY_LOCK: Final = Statement(bool, "SELECT pg_try_advisory_xact_lock(%(lock)s)")
_USED_KEY: Final = Statement(
    _UsedKey,
    "SELECT fingerprint, result FROM idempotency_idempotencykey WHERE owner = %(owner)s AND key = %(key)s",
)
_RECORD: Final = Insert(IdempotencyKey)


class InvalidKey(Invalid):
    """The key is not 1–255 visible ASCII characters."""

    text = Text(
        en="An idempotency key is 1 to 255 visible ASCII characters.",
        fr="Une clé d’idempotence compte de 1 à 255 caractères ASCII visibles.",
    )


class IdempotentRequest:
    """A request of `owner` under the idempotency key `key`.

    `request` is a dataclass or JSON-like value. A key belongs to one request for ever.

    Write inside `once()`. Raises InvalidKey.
    """

    def __init__(self, *, owner: UUID, key: str, request: Any) -> None:
        if not 0 < len(key) <= MAX_LENGTH or not all("!" <= character <= "~" for character in key):
            raise InvalidKey(field="idempotencyKey")
        self._owner = owner
        self._key = key
        self._fingerprint = fingerprint(request)

    @contextmanager
    def once(self, *, before: Callable[[], None] | None = None) -> Iterator["Write"]:
        """Open the transaction in which the write takes effect once, and hold the key until it ends.

        `before` is a slow check, such as a call to another service. It runs before the transaction, unless the key has
        had its effect. If `earlier_result` is set, an earlier request has done the write: answer with its result.
        Otherwise do the write and call `succeeded`, which commits with it. An exception leaves no row, so the key can
        be used again.

        Raises InFlight, at once, if another request holds the key; KeyReused if the key came with another request; and
        RuntimeError if the body neither found an earlier result nor called `succeeded`.
        """
        if before is not None and not self._was_used():
            before()
        with transaction.atomic():
            write = Write(self, self._lock())
            yield write
            if write.earlier_result is None and not write.is_recorded:
                raise RuntimeError("an idempotent write has recorded no result")

    def forget(self) -> None:
        """Delete the key in the transaction that undoes its effect: the client may use it again."""
        IdempotencyKey.objects.filter(owner=self._owner, key=self._key).delete()

    def _was_used(self) -> bool:
        return _USED_KEY.first(owner=self._owner, key=self._key) is not None

    def _lock(self) -> UUID | None:
        """Take the key's lock. Return what an earlier request with the key made, or None."""
        with one_round_trip():  # two statements: the second must see what was committed before the lock was free
            lock = _TRY_LOCK.send(lock=lock_key("idempotency", self._owner, self._key))
            used_key = _USED_KEY.send(owner=self._owner, key=self._key)
        if not lock.first():
            raise InFlight(retry_after=1)
        return self._result_of(used_key.first())

    def _result_of(self, used_key: _UsedKey | None) -> UUID | None:
        if used_key is None:
            return None
        if used_key.fingerprint != self._fingerprint:
            raise KeyReused
        return used_key.result

    def _record(self, result: UUID) -> None:
        _RECORD.send(IdempotencyKey(owner=self._owner, key=self._key, fingerprint=self._fingerprint, result=result))


class Write:
    """The write of an idempotent request, under its key's lock.

    `earlier_result` is the id that an earlier request with this key made, or None.
    """

    def __init__(self, idempotent_request: IdempotentRequest, earlier_result: UUID | None) -> None:
        self.earlier_result = earlier_result
        self.is_recorded = False
        self._idempotent_request = idempotent_request

    def succeeded(self, *, result: UUID) -> None:
        """Record the id of what the write made. It commits with the write."""
        self._idempotent_request._record(result)
        self.is_recorded = True


def fingerprint(request: Any) -> str:
    """Return the SHA-256 of the request. The order of its members makes no difference."""
    plain = (
        dataclasses.asdict(request) if dataclasses.is_dataclass(request) and not isinstance(request, type) else request
    )
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()
