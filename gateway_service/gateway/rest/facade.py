"""The REST façade: the public paths of every service under one `/api/v1/`, forwarded unchanged and streamed both ways."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from gateway_service.gateway.rest.routes import route
from gateway_service.gateway.transport.callers import address_of
from gateway_service.gateway.transport.problems import problem
from gateway_service.gateway.upstream import http
from shared.telemetry import current_request_id, current_traceparent

_CHUNK: Final = 64 * 1024
# Other headers of a client are not forwarded: hop-by-hop headers, cookies, and headers that would claim an identity.
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
    """Forward a request to the service that owns the public path. Answer 404 for any other path, 405 for another method."""
    owner = route(path)
    if owner is None:
        return problem(404, "NOT_FOUND")
    if request.method not in owner.methods:
        refused = problem(405, "METHOD_NOT_ALLOWED")
        refused["Allow"] = ", ".join(sorted(owner.methods))
        return refused
    url = httpx.URL(settings.SERVICE_URLS[owner.service] + request.get_full_path())
    upstream_request = http.client().build_request(
        request.method, url, headers=_headers(request), content=_body(request) if _has_body(request) else None
    )
    try:
        answer = await http.client().send(upstream_request, stream=True)
    except httpx.TimeoutException:
        return problem(504, "DEADLINE_EXCEEDED", "The service took too long.")
    except httpx.TransportError:
        return problem(503, "UPSTREAM_UNAVAILABLE", "The service is away.", retry_after=1)
    response = StreamingHttpResponse(_stream(answer), status=answer.status_code)
    del response["Content-Type"]
    for name, value in answer.headers.items():
        if name in _RETURNED_HEADERS:
            response[name] = value
    return response


def _headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    public = urlsplit(settings.PUBLIC_URL)
    headers = {name: request.headers[name] for name in _FORWARDED_HEADERS if name in request.headers}
    peer = request.META.get("REMOTE_ADDR") or ""
    headers.update(
        {
            "Host": public.netloc,
            "X-Forwarded-For": address_of(peer, [request.headers.get("X-Forwarded-For", "")]),
            "X-Forwarded-Proto": public.scheme,
            "X-Request-Id": current_request_id(),
            "traceparent": current_traceparent(),
        }
    )
    if _has_body(request) and (length := request.META.get("CONTENT_LENGTH")):
        headers["Content-Length"] = length
    # Latin-1 restores the bytes that the client sent.
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _has_body(request: HttpRequest) -> bool:
    return bool(request.META.get("CONTENT_LENGTH")) or "chunked" in request.headers.get("Transfer-Encoding", "")


async def _body(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(_CHUNK):
        yield chunk


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        with contextlib.suppress(httpx.TransportError):  # the service broke off, so this answer ends too
            async for chunk in answer.aiter_raw(_CHUNK):
                yield chunk
    finally:
        await answer.aclose()
