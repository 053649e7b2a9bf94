"""Parse the JSON of requests strictly, and write the JSON of answers compactly."""

import json
import re
from typing import Final, NoReturn

import orjson

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input

# orjson reads a whole number beyond 64 bits as a float. Python's own parser keeps its digits.
_MAY_EXCEED_64_BITS: Final = re.compile(rb"[0-9]{19}")


def parse_json(body: bytes) -> object:
    """Return the JSON value of a request's body.

    Raises InvalidRequest if RFC 8259 or Unicode does not allow the text: for example NaN, or half of a surrogate pair.
    """
    try:
        return _parsed_exactly(body) if _MAY_EXCEED_64_BITS.search(body) else orjson.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest([bad_input("The body is not valid JSON.")]) from None


def _parsed_exactly(body: bytes) -> object:
    payload: object = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    if b"\\u" in body:  # an escape may be half of a surrogate pair, which UTF-8 cannot encode
        json.dumps(payload, ensure_ascii=False).encode("utf-8")
    return payload


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def dumps(body: object) -> bytes:
    """Return `body` as JSON text in UTF-8."""
    return orjson.dumps(body)
