"""Identifiers: UUIDv7, whose order is the order of creation, so that they index like a sequence."""

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562), monotonic within the process."""
    return UUID(int=uuid_utils.uuid7().int)
