"""Identifiers: UUIDv7. They sort by the time of creation, so an index on them grows at its end."""

from typing import Final
from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562), monotonic within the process."""
    return UUID(int=uuid_utils.uuid7().int)


# The same in PostgreSQL, for statements that make many rows: the milliseconds, then the random part of a UUIDv4.
UUID7_SQL: Final = (
    "overlay(overlay(gen_random_uuid()::text PLACING '7' FROM 15 FOR 1) PLACING"
    " (SELECT substr(hex, 1, 8) || '-' || substr(hex, 9) FROM"
    " lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS hex) FROM 1 FOR 13)::uuid"
)
