"""What every GraphQL answer must be, whatever was asked."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from shared.errors import PROTOCOLS

# The top-level codes that the contract lists. INTERNAL is there too, but no request may cause it.
OF_REFUSALS: Final = {protocol.graphql for protocol in PROTOCOLS.values()} - {None, "INTERNAL"}
CODES: Final = OF_REFUSALS | {"QUERY_TOO_COMPLEX", "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_REGISTERED"}
OF_PROTOCOL: Final = {400, 408, 431}  # of requests that HTTP itself cannot read; they have no body
TRACES: Final = ("Traceback", 'File "', "site-packages", "graphql.error", "psycopg", "grpc.")


def faults(response: httpx.Response, *, has_deadline: bool = False) -> Iterator[str]:
    """Yield what is wrong with the answer. With a deadline of its caller, 504 is right."""
    if response.status_code >= 500 and not (has_deadline and response.status_code == 504):
        yield f"status {response.status_code}"
    for trace in TRACES:
        if trace in response.text:
            yield f"the text {trace!r}"
    if response.status_code in OF_PROTOCOL and not response.content:
        return
    try:
        body = json.loads(response.content.decode())
    except ValueError:
        yield f"no JSON ({response.status_code}): {response.text[:100]!r}"
        return
    if response.headers["content-type"].startswith("application/problem+json"):
        if body["status"] != response.status_code or not body["code"]:
            yield "a problem without its status or code"
        return
    yield from _faults_of_body(body)


def _faults_of_body(body: Any) -> Iterator[str]:
    if not isinstance(body, dict) or not body.keys() & {"data", "errors"}:
        yield "neither data nor errors"
        return
    for error in body.get("errors", ()):
        code = error.get("extensions", {}).get("code")
        if code not in CODES:
            yield f"code {code} at {'.'.join(str(part) for part in error.get('path', ()))}"
        if not error.get("message"):
            yield "an error without a message"
