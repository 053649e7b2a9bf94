"""Parse the JSON of requests strictly, and write the JSON of answers compactly."""

import json
from typing import NoReturn

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input


def parse_json(body: bytes) -> object:
    """Return the JSON value of a request's body.

    Raises InvalidRequest if RFC 8259 or Unicode does not allow the text: for example NaN, or half of a surrogate pair.
    """
    try:
        payload: object = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in body:  # an escape may be half of a surrogate pair, which UTF-8 cannot encode
            json.dumps(payload, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidRequest([bad_input("The body is not valid JSON.")]) from None
    return payload


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def dumps(body: object) -> str:
    """Return `body` as JSON text."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
