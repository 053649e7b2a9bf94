"""JSON in and out: strict about what a request contains, compact in what an answer contains."""

import json
from typing import NoReturn

from gateway_service.gateway.execution.documents import InvalidRequest, bad_input


def parse_json(body: bytes) -> object:
    """Return a request's JSON. Raises InvalidRequest for anything that RFC 8259 or Unicode does not allow."""
    try:
        payload: object = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in body:  # an escape may be half of a surrogate pair, which is no character
            json.dumps(payload, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidRequest([bad_input("The body is not valid JSON.")]) from None
    return payload


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def dumps(body: object) -> str:
    """Return the JSON of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
