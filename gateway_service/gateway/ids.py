"""Global ids and cursors: what clients hold, opaque to them and checked when it comes back."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.errors import Invalid


def to_global_id(type_name: str, raw: str) -> str:
    """Return base64("Type:uuid")."""
    return base64.b64encode(f"{type_name}:{raw}".encode()).decode()


def parse_global_id(value: str) -> tuple[str, str] | None:
    """Return (type name, uuid) of a global id, or None for anything that no id of ours looks like."""
    try:
        type_name, _, raw = base64.b64decode(value, validate=True).decode().partition(":")
        parsed = UUID(raw)
    except (ValueError, binascii.Error):
        return None
    return (type_name, raw) if str(parsed) == raw else None


def raw_id(value: str, type_name: str, field: str) -> str:
    """Return the uuid of a global id of `type_name`. Raises Invalid naming `field` for any other."""
    parsed = parse_global_id(value)
    if parsed is None or parsed[0] != type_name:
        raise Invalid(field=field)
    return parsed[1]


@dataclass(frozen=True, slots=True)
class ListKey:
    """One list with its parent and filters: a cursor made for it fits no other."""

    name: str
    fingerprint: str

    @classmethod
    def of(cls, name: str, *parts: Any) -> "ListKey":
        """Return the key of the list `name` narrowed by `parts`."""
        return cls(name, hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest())

    def wrap(self, cursor: str) -> str:
        """Return a service's cursor as this list's."""
        return base64.urlsafe_b64encode(f"{self.name}.{self.fingerprint}:{cursor}".encode()).decode()

    def unwrap(self, cursor: str | None) -> str:
        """Return the service's cursor. Raises Invalid for one of another list, or of none."""
        if cursor is None:
            return ""
        try:
            head, _, raw = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(":")
        except (ValueError, binascii.Error):
            raise Invalid(field="after") from None
        if head != f"{self.name}.{self.fingerprint}" or not raw:
            raise Invalid(field="after")
        return raw
