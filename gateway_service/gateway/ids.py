"""Global ids of objects and cursors of lists. They are opaque to clients, and checked when a client sends them back."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from uuid import UUID

from shared.errors import DomainError, Invalid


def to_global_id(type_name: str, raw: str) -> str:
    """Return the global id of the object of `type_name` with the uuid `raw`: base64("Type:uuid")."""
    return binascii.b2a_base64(f"{type_name}:{raw}".encode(), newline=False).decode()


def parse_global_id(value: str) -> tuple[str, str] | None:
    """Return (type name, uuid) of a global id, or None for a malformed id."""
    try:
        type_name, _, raw = base64.b64decode(value, validate=True).decode().partition(":")
        parsed = UUID(raw)
    except (ValueError, binascii.Error):
        return None
    return (type_name, raw) if str(parsed) == raw else None


def raw_id(value: str, type_name: str, field: str, *, refusal: type[DomainError] = Invalid) -> str:
    """Return the uuid in a global id of `type_name`. For any other value raise `refusal` with `field`."""
    parsed = parse_global_id(value)
    if parsed is None or parsed[0] != type_name:
        raise refusal(field=field)
    return parsed[1]


@dataclass(frozen=True, slots=True)
class ListKey:
    """The identity of a list: its name, and a digest of its parent and filters.

    A cursor is valid only for its own list.
    """

    name: str
    fingerprint: str

    @classmethod
    def of(cls, name: str, *parts: object) -> "ListKey":
        """Return the key of the list `name`. `parts` are its parent and filters, if it has any."""
        return cls(name, hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest())

    def wrap(self, cursor: str) -> str:
        """Return the cursor that clients get for a service's `cursor`."""
        return base64.urlsafe_b64encode(f"{self.name}.{self.fingerprint}:{cursor}".encode()).decode()

    def unwrap(self, cursor: str | None) -> str:
        """Return the service's cursor in a client's `cursor`, or an empty text for None.

        Raises Invalid for a malformed cursor, or a cursor of another list.
        """
        if cursor is None:
            return ""
        try:
            head, _, raw = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(":")
        except (ValueError, binascii.Error):
            raise Invalid(field="after") from None
        if head != f"{self.name}.{self.fingerprint}" or not raw:
            raise Invalid(field="after")
        return raw
