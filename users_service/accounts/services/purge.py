"""Delete rows past their retention, in batches that are short transactions. It never waits for a lock.

Rate limits are not here: Valkey forgets them by itself when their window ends. The audit log is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction

BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that are deleted when `condition` (SQL) is true. `kept` is the time that it calls %(kept)s."""

    table: str
    condition: str
    kept: timedelta
    key: str = "id"

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the condition."""
        return {"kept": self.kept}


# An hour after expiry, no transaction that began before it is still under way.
_EXPIRED: Final = timedelta(hours=1)
_REGISTRATIONS: Final = "SELECT id FROM accounts_pendingregistration WHERE expires_at < now() - %(kept)s"

KINDS: Final[Mapping[str, Kind]] = {
    # Those of a registration go with it, and before it. A resent link expires later than its registration.
    "expired links": Kind(
        "accounts_linkrequest", f"expires_at < now() - %(kept)s OR registration_id IN ({_REGISTRATIONS})", _EXPIRED
    ),
    "expired registrations": Kind(
        "accounts_pendingregistration",
        "expires_at < now() - %(kept)s AND NOT EXISTS (SELECT FROM accounts_linkrequest link"
        " WHERE link.registration_id = accounts_pendingregistration.id)",
        _EXPIRED,
    ),
    "expired phone codes": Kind("accounts_phonecode", "expires_at < now() - %(kept)s", _EXPIRED),
    # Until then a sign-in from the same device and network is not reported to the owner as new.
    "ended sessions": Kind("accounts_session", "least(revoked_at, expires_at) < now() - %(kept)s", timedelta(days=180)),
    "expired sessions of staff": Kind("django_session", "expire_date < now() - %(kept)s", _EXPIRED, key="session_key"),
}


def count_past() -> dict[str, int]:
    """Return how many rows of each kind are past their retention."""
    counts = {}
    for name, kind in KINDS.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {kind.table} WHERE {kind.condition}", kind.parameters)  # noqa: S608
            counts[name] = cursor.fetchone()[0]
    return counts


def purge(name: str) -> Iterator[int]:
    """Delete the rows of one kind that are past their retention. Yield the number of rows of each batch.

    Rows that another transaction has locked stay for the next time.
    """
    kind = KINDS[name]
    rows = f"SELECT {kind.key} FROM {kind.table} WHERE {kind.condition} LIMIT {BATCH} FOR UPDATE SKIP LOCKED"  # noqa: S608
    batch = f"DELETE FROM {kind.table} WHERE {kind.key} IN ({rows})"  # noqa: S608
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(batch, kind.parameters)
            if not cursor.rowcount:
                return
            yield cursor.rowcount
