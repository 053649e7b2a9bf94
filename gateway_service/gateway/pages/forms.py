"""Read the token of a link and the fields of a form, strictly."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from django.http import HttpRequest

from shared.errors import Invalid
from shared.text import Locale, locale_of

MOST_BYTES: Final = 8_192
FIELDS: Final = frozenset({"token", "lang", "new_password"})
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")


class FormUnreadable(Invalid):
    """The body is no form of these pages. `status` is the HTTP status of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form. `token` is empty if it cannot be a token."""

    token: str = field(repr=False)
    lang: Locale | None
    new_password: str = field(repr=False)


def token_of(request: HttpRequest) -> str:
    """Return the token in the address, or an empty text if there is no token, or several."""
    tokens = request.GET.getlist("token")
    return _well_formed(tokens[0]) if len(tokens) == 1 else ""


def read_form(request: HttpRequest) -> Form:
    """Return the fields of the form. Raises FormUnreadable.

    It refuses other content types, more than MOST_BYTES, other fields than FIELDS, and a field that comes twice.
    """
    if request.content_type != _CONTENT_TYPE:
        raise FormUnreadable(415)
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise FormUnreadable(413)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:  # also if a byte is not ASCII, or an escaped text not UTF-8
        raise FormUnreadable(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not fields.keys() <= FIELDS:
        raise FormUnreadable(400)
    return Form(
        token=_well_formed(fields.get("token", "")),
        lang=locale_of(fields.get("lang")),
        new_password=fields.get("new_password", ""),
    )


def _well_formed(token: str) -> str:
    return token if _TOKEN.fullmatch(token) else ""
