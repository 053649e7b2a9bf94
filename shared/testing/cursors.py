"""Cursors that no list has given out: malformed, of another list, or changed."""

import base64
import json
from typing import Any, Final


def _json(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _query(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# Both forms of cursor are here: query strings as DRF makes them, and JSON as shared.pages makes it.
BAD_CURSORS: Final = (
    "garbage", "AAAA", "%00", "%FF%FE", "A" * 5_000,
    *map(_query, (
        "p=7", "p=%00", "p=not-an-id", "p=" + "9" * 500, "p=%F0%9F%98%80", "r=1&p=x", "o=-1", "o=x&p=1", "r=x",
        "p=019f0000-0000-7000-8000", 'p=["x"]',
    )),
    _json(), _json("x"), _json(["x"], 7), _json("trips.POPULARITY", 1), _json(None, None, None),
)  # fmt: skip


def changed(cursor: str) -> list[str]:
    """Return variants of a cursor of shared.pages: each with another kind, one part more or less, or a bad part.

    There are none of a cursor in DRF's form.
    """
    try:
        kind, *places = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return []
    bad = ("", "\0", "x", "9" * 400, "1e999999", "-9223372036854775809", "\ud800", [1], {"a": 1}, None, 7.5)
    return [
        _json("other.list", *places),
        _json(kind, *places, places[-1]),
        _json(kind, *places[:-1]),
        *(_json(kind, *places[:-1], part) for part in bad),
        *(
            _json(kind, part, *places[1:])
            for part in bad
            if places[1:] and (not isinstance(part, str) or part in {"\0", "\ud800"})
        ),
    ]
