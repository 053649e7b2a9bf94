"""Keyset pages: a cursor contains the last row's place in the order.

Rows inserted meanwhile neither repeat nor hide others.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from shared.errors import Invalid
from shared.statement import Statement

Row = TypeVar("Row")

_MOST_DIGITS: Final = 30
_JSON: Final = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Key:
    """One part of an order: a column that is never null, its direction, and a parser for its value in a cursor."""

    name: str
    parse: Callable[[str], Any]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of a page, each with its cursor."""

    rows: list[Row]
    cursors: list[str]
    has_next: bool
    has_previous: bool

    @property
    def is_whole_list(self) -> bool:
        """Whether the list has no other page."""
        return not self.has_next and not self.has_previous


def instant(text: str) -> datetime:
    """Parse an instant from a cursor. Raises ValueError."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return value


def number(text: str) -> Decimal:
    """Parse a finite decimal of a size that the database can compare. Raises ValueError."""
    value = Decimal(text)
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError("a finite number is expected")
    return value


def whole(text: str, *, bits: int = 32) -> int:
    """Parse a whole number of as many bits as the column has. Raises ValueError."""
    value = int(text)
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise ValueError(f"{bits} bits are expected")
    return value


def long(text: str) -> int:
    """Parse a whole number of 64 bits, as automatic ids have. Raises ValueError."""
    return whole(text, bits=64)


ID = Key("id", UUID)


class Listing(Generic[Row]):
    """A SELECT that is read page by page. `kind` names the list in its cursors.

    `sql` ends in its WHERE clause. `keys` are columns of it and attributes of `row`. All have the same direction, and
    the last is unique.
    """

    def __init__(self, row: Callable[..., Row], sql: str, *, keys: Sequence[Key], kind: str) -> None:
        self._keys: Final = keys
        self._kind: Final = kind
        (descending,) = {key.descending for key in keys}
        columns = ", ".join(key.name for key in keys)
        place = ", ".join(f"%(after_{key.name})s" for key in keys)
        end = f"ORDER BY {order_sql(keys)} LIMIT %(limit)s"
        self._first_page: Final = Statement(row, f"{sql} {end}")
        self._later_page: Final = Statement(row, f"{sql} AND ({columns}) {'<' if descending else '>'} ({place}) {end}")

    def page(self, *, first: int, after: str, **parameters: object) -> Page[Row]:
        """Return `first` rows after the cursor.

        Raises Invalid (field `after`) for a cursor that does not belong to a list of this kind.
        """
        if after:
            place = decode(after, keys=self._keys, kind=self._kind)
            parameters |= {f"after_{key.name}": value for key, value in zip(self._keys, place, strict=True)}
        statement = self._later_page if after else self._first_page
        candidates = statement.all(limit=first + 1, **parameters)
        return _cut(candidates, keys=self._keys, first=first, after=after, kind=self._kind)


def _cut(candidates: list[Row], *, keys: Sequence[Key], first: int, after: str, kind: str) -> Page[Row]:
    shown = candidates[:first]
    return Page(
        rows=shown,
        cursors=[encode([getattr(row, key.name) for key in keys], kind=kind) for row in shown],
        has_next=len(candidates) > first,
        has_previous=bool(after),
    )


def encode(values: Sequence[Any], *, kind: str) -> str:
    """Return the opaque cursor of a row's place."""
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(_JSON.encode([kind, *texts]).encode()).decode().rstrip("=")


def decode(cursor: str, *, keys: Sequence[Key], kind: str) -> list[Any]:
    """Return the place that a cursor contains. Raises Invalid."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        named, *texts = parts
        if named != kind or len(texts) != len(keys) or len(cursor) > 1_000:
            raise ValueError("a cursor of another list")
        return [key.parse(_stored(text)) for key, text in zip(keys, texts, strict=True)]
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise Invalid(field="after") from None


def _stored(text: object) -> str:
    """Return the text if a column could contain it. Raises ValueError."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("text without NUL is expected")
    text.encode("utf-8")  # refuses half of a surrogate pair
    return text


def order_sql(keys: Sequence[Key], *, table: str = "") -> str:
    """Return the ORDER BY of `keys`. `table` is put before each name."""
    return ", ".join(f"{table}{key.name}{' DESC' if key.descending else ''}" for key in keys)


def after_sql(keys: Sequence[Key]) -> str:
    """Return the condition of the rows after a cursor. The value of a key is the parameter `after_<name>`."""
    key, *later = keys
    beyond = f"{key.name} {'<' if key.descending else '>'} %(after_{key.name})s"
    return f"({beyond} OR ({key.name} = %(after_{key.name})s AND {after_sql(later)}))" if later else beyond
