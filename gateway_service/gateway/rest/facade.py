"""The REST façade: public paths of every service under one `/api/v1/`, passed on as they are and streamed both ways."""

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
# Everything else a client sends stays here: hop-by-hop headers, cookies, and those that would claim an identity.
_PASSED_ON: Final = (
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
_PASSED_BACK: Final = frozenset(
    """
    accept-ranges age allow cache-control content-disposition content-encoding content-language content-length
    content-range content-type etag expires last-modified link location retry-after vary www-authenticate
    content-security-policy x-content-type-options
    """.split()
)


@csrf_exempt  # no cookie is passed on, so there is nothing that another site could ride on
async def facade(request: HttpRequest, path: str) -> HttpResponseBase:
    """Pass a public path on to the service that owns it; 404 for any other, 405 for a method it does not serve."""
    target = route(path)
    if target is None:
        return problem(404, "NOT_FOUND")
    if request.method not in target.methods:
        refused = problem(405, "METHOD_NOT_ALLOWED")
        refused["Allow"] = ", ".join(sorted(target.methods))
        return refused
    url = httpx.URL(settings.SERVICE_URLS[target.service] + request.get_full_path())
    asked = http.client().build_request(
        request.method, url, headers=_headers(request), content=_body(request) if _has_body(request) else None
    )
    try:
        answered = await http.client().send(asked, stream=True)
    except httpx.TimeoutException:
        return problem(504, "DEADLINE_EXCEEDED", "The service took too long.")
    except httpx.TransportError:
        return problem(503, "UPSTREAM_UNAVAILABLE", "The service is away.", retry_after=1)
    response = StreamingHttpResponse(_stream(answered), status=answered.status_code)
    del response["Content-Type"]
    for name, value in answered.headers.items():
        if name in _PASSED_BACK:
            response[name] = value
    return response


def _headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    public = urlsplit(settings.PUBLIC_URL)
    passed = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    peer = request.META.get("REMOTE_ADDR") or ""
    passed.update(
        {
            "Host": public.netloc,
            "X-Forwarded-For": address_of(peer, [request.headers.get("X-Forwarded-For", "")]),
            "X-Forwarded-Proto": public.scheme,
            "X-Request-Id": current_request_id(),
            "traceparent": current_traceparent(),
        }
    )
    if _has_body(request) and (length := request.META.get("CONTENT_LENGTH")):
        passed["Content-Length"] = length
    return [
        (name.encode(), value.encode("latin-1", "replace")) for name, value in passed.items()
    ]  # the bytes that came in


def _has_body(request: HttpRequest) -> bool:
    return bool(request.META.get("CONTENT_LENGTH")) or "chunked" in request.headers.get("Transfer-Encoding", "")


async def _body(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(_CHUNK):
        yield chunk


async def _stream(answered: httpx.Response) -> AsyncIterator[bytes]:
    try:
        with contextlib.suppress(httpx.TransportError):  # cut off over there: cut off here
            async for chunk in answered.aiter_raw(_CHUNK):
                yield chunk
    finally:
        await answered.aclose()
