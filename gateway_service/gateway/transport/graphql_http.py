"""POST /graphql: one operation, answered as JSON, or as server-sent events (SSE) if the client accepts those."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from gateway_service.gateway.execution.documents import Prepared, prepare
from gateway_service.gateway.execution.errors import InvalidRequest, bad_input, body_of_errors, body_of_refusal
from gateway_service.gateway.execution.json_text import dumps, parse_json
from gateway_service.gateway.execution.run import Body, answer, answers
from gateway_service.gateway.operation import cookies
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.callers import seconds_valid, traveller_of, until_revoked
from gateway_service.gateway.transport.origins import from_own_page
from shared.auth import Traveller
from shared.errors import DomainError, Unauthenticated, protocols_of
from shared.http.addresses import client_ip
from shared.telemetry import current_request_id, current_traceparent
from shared.text import DEFAULT_LOCALE, negotiate

_JSON: Final = "application/json"
_GRAPHQL_JSON: Final = "application/graphql-response+json"
_EVENT_STREAM: Final = "text/event-stream"
_HEARTBEAT_SECONDS: Final = 12.0
_GRAPHIQL_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:;"
    " connect-src 'self'; worker-src 'self' blob:"
)


@csrf_exempt  # no form can send JSON, and the Origin header is checked before the cookie is used
async def graphql(request: HttpRequest) -> HttpResponseBase:
    """Answer one operation. In development, answer a browser's GET with GraphiQL."""
    if request.method == "GET" and settings.DEBUG and "text/html" in request.headers.get("Accept", ""):
        page = render(request, "gateway/graphiql.html")
        page["Content-Security-Policy"] = _GRAPHIQL_POLICY
        return page
    locale = negotiate(request.headers.get("Accept-Language"))
    try:
        _check_transport(request)
        traveller = await traveller_of(request.headers.get("Authorization"))
        prepared = prepare(parse_json(request.body))
        streamed = _EVENT_STREAM in request.headers.get("Accept", "")
        operation = operation_of(request, traveller, can_set_cookies=not streamed)
        if streamed:
            return _stream(prepared, operation)
        if prepared.subscribes:
            raise InvalidRequest([bad_input("Subscribe over WebSocket, or with Accept: text/event-stream.")])
        body = await answer(prepared, operation)
    except InvalidRequest as refused:
        return _json(request, body_of_errors(refused.errors, locale or DEFAULT_LOCALE), refused.status)
    except DomainError as refused:
        return _json(request, body_of_refusal(refused, locale or DEFAULT_LOCALE), protocols_of(refused).http)
    response = _json(request, body, 200 if "data" in body else 400)
    response.cookies.update(operation.cookies)
    return response


def operation_of(request: HttpRequest, traveller: Traveller | None, *, can_set_cookies: bool) -> Operation:
    """Return the context for the operation of an HTTP request."""
    headers = request.headers
    return Operation(
        traveller=traveller,
        requested_locale=negotiate(headers.get("Accept-Language")),
        request_id=current_request_id(),
        traceparent=current_traceparent(),
        ip_address=client_ip(request),
        user_agent=headers.get("User-Agent", "")[:300],
        refresh_cookie=request.COOKIES.get(cookies.NAME, ""),
        can_set_cookies=can_set_cookies,
        cookie_allowed=from_own_page(request),
    )


def _check_transport(request: HttpRequest) -> None:
    if request.method != "POST":
        raise InvalidRequest([bad_input("Send operations by POST.")], status=405)
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if request.content_type != _JSON or charset not in {"utf-8", "utf8"}:
        raise InvalidRequest([bad_input("Send operations as application/json.")], status=415)


def _json(request: HttpRequest, body: Body, status: int) -> HttpResponse:
    kind = _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("Accept", "") else _JSON
    response = HttpResponse(dumps(body), content_type=f"{kind}; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    elif status == 405:
        response["Allow"] = "POST"
    return response


def _stream(prepared: Prepared, operation: Operation) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_events(prepared, operation), content_type=_EVENT_STREAM)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(prepared: Prepared, operation: Operation) -> AsyncIterator[str]:
    """Yield a `next` event for each answer, then `complete`, as in graphql-sse's "distinct connections" mode.

    While no answer comes, an SSE comment (`:`) is sent every _HEARTBEAT_SECONDS, so that proxies keep the connection
    open. A subscription ends when the traveller's token expires or is revoked.
    """
    bodies = answers(prepared, operation)
    waiting: asyncio.Task[Body | None] | None = None
    with _refused_later(prepared, operation) as refused:
        try:
            yield ":\n\n"
            while True:
                waiting = waiting or asyncio.create_task(_next(bodies))
                ends: set[asyncio.Future[Body | None] | asyncio.Future[None]] = {waiting, refused}
                await asyncio.wait(ends, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if refused.done():
                    yield _event("next", body_of_refusal(Unauthenticated(), operation.known_locale))
                    break
                if not waiting.done():
                    yield ":\n\n"
                    continue
                body, waiting = waiting.result(), None
                if body is None:
                    break
                yield _event("next", body)
            yield _event("complete", None)
        finally:
            if waiting is not None:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
            await bodies.aclose()


@contextlib.contextmanager
def _refused_later(prepared: Prepared, operation: Operation) -> Iterator[asyncio.Future[None]]:
    """Yield a future that is done as soon as a subscription may no longer use its traveller's token."""
    loop = asyncio.get_running_loop()
    refused: asyncio.Future[None] = loop.create_future()
    if operation.traveller is None or not prepared.subscribes:
        yield refused
        return

    def refuse() -> None:
        if not refused.done():
            refused.set_result(None)

    expiry = loop.call_later(seconds_valid(operation.traveller), refuse)
    try:
        with until_revoked(operation.traveller, refuse):
            yield refused
    finally:
        expiry.cancel()


async def _next(bodies: AsyncGenerator[Body, None]) -> Body | None:
    return await anext(bodies, None)


def _event(kind: str, body: Body | None) -> str:
    return f"event: {kind}\ndata: {dumps(body) if body is not None else ''}\n\n"
