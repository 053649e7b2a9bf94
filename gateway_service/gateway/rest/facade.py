"""The REST façade: the public paths of every service under one address.

The method, path, query and body are forwarded unchanged, and so are the headers in _FORWARDED_HEADERS. The answer is
streamed, with the headers in _RETURNED_HEADERS.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from gateway_service.gateway.rest.routes import route
from gateway_service.gateway.transport.problems import problem
from gateway_service.gateway.upstream import http_client
from shared.http.addresses import client_ip
from shared.telemetry import current_request_id, current_traceparent

_CHUNK: Final = 64 * 1024
# No other header of a client is forwarded: not hop-by-hop headers, not cookies, not headers that claim an identity.
_FORWARDED_HEADERS: Final = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Range",
    "User-Agent",
    "X-Payment-Signature",
    "Stripe-Signature",
)
_RETURNED_HEADERS: Final = frozenset(
    """
    accept-ranges age allow cache-control content-disposition content-encoding content-language content-length
    content-range content-type etag expires last-modified link location retry-after vary www-authenticate
    content-security-policy x-content-type-options
    """.split()
)


@csrf_exempt  # no cookie is forwarded, so another site cannot act for the traveller
async def facade(request: HttpRequest, path: str) -> HttpResponseBase:
    """Forward the request to the service that owns `path`.

    Answer 404 if the path is not public, and 405 if the path does not accept the method. Answer 503 or 504 if the
    service does not answer.
    """
    public_route = route(path)
    if public_route is None:
        return problem(404, "NOT_FOUND")
    if request.method not in public_route.methods:
        refused = problem(405, "METHOD_NOT_ALLOWED")
        refused["Allow"] = ", ".join(sorted(public_route.methods))
        return refused
    url = httpx.URL(settings.SERVICE_URLS[public_route.service] + request.get_full_path())
    upstream_request = http_client.client().build_request(
        request.method, url, headers=_headers(request), content=_body(request) if _has_body(request) else None
    )
    try:
        answer = await http_client.client().send(upstream_request, stream=True)
    except httpx.TimeoutException:
        return problem(504, "DEADLINE_EXCEEDED", "The service took too long.")
    except httpx.TransportError:
        return problem(503, "UPSTREAM_UNAVAILABLE", "The service is unavailable.", retry_after=1)
    response = StreamingHttpResponse(_stream(answer), status=answer.status_code)
    del response["Content-Type"]
    for name, value in answer.headers.items():
        if name in _RETURNED_HEADERS:
            response[name] = value
    return response


def _headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    public_url = urlsplit(settings.PUBLIC_URL)
    headers = {name: request.headers[name] for name in _FORWARDED_HEADERS if name in request.headers}
    headers.update(
        {
            "Host": public_url.netloc,
            "X-Forwarded-For": client_ip(request),
            "X-Forwarded-Proto": public_url.scheme,
            "X-Request-Id": current_request_id(),
            "traceparent": current_traceparent(),
        }
    )
    if _has_body(request) and (length := request.META.get("CONTENT_LENGTH")):
        headers["Content-Length"] = length
    # Django decoded the client's bytes as Latin-1, so Latin-1 restores them. Outer spaces are no part of a value, and
    # the client of the service refuses to send them.
    return [(name.encode(), value.strip(" \t").encode("latin-1", "replace")) for name, value in headers.items()]


def _has_body(request: HttpRequest) -> bool:
    return bool(request.META.get("CONTENT_LENGTH")) or "chunked" in request.headers.get("Transfer-Encoding", "")


async def _body(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(_CHUNK):
        yield chunk


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        with contextlib.suppress(httpx.TransportError):  # the service closed its connection: this answer ends here
            async for chunk in answer.aiter_raw(_CHUNK):
                yield chunk
    finally:
        await answer.aclose()
