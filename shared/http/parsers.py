"""Reads JSON bodies strictly. Hostile input is refused and never breaks the parser."""

import codecs
import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """Parses an RFC 8259 object: no NaN, and no array or scalar at the top.

    Raises ParseError, for too deep nesting too.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object."""
        try:
            value = json.load(codecs.getreader("utf-8")(stream), parse_constant=_no_constants)
        except (ValueError, RecursionError, UnicodeDecodeError):
            raise ParseError from None
        if not isinstance(value, dict):
            raise ParseError
        return value


def _no_constants(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
