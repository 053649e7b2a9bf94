"""Identifiers: UUIDv7. They sort by the time of creation, so an index on them grows at its end."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562), monotonic within the process."""
    return UUID(int=uuid_utils.uuid7().int)
