"""POST /graphql: one operation, answered as JSON or, where asked for, as a stream of events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from gateway_service.gateway.execution.documents import Prepared, Unanswerable, bad_input, prepare
from gateway_service.gateway.execution.errors import body_of_errors, body_of_refusal
from gateway_service.gateway.execution.run import answer, answers
from gateway_service.gateway.operation import cookies
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.callers import address_of, seconds_left, traveller_of
from shared.auth import Traveller
from shared.errors import DomainError, Unauthenticated, protocols_of
from shared.telemetry import current_request_id, current_traceparent
from shared.text import DEFAULT_LOCALE, negotiate

_JSON: Final = "application/json"
_GRAPHQL_JSON: Final = "application/graphql-response+json"
_EVENTS: Final = "text/event-stream"
_HEARTBEAT_SECONDS: Final = 12.0
_GRAPHIQL_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:;"
    " connect-src 'self'; worker-src 'self' blob:"
)


@csrf_exempt  # the body must be JSON, which no form sends; the cookie is guarded by Origin
async def graphql(request: HttpRequest) -> HttpResponseBase:
    """Answer one operation; in development a browser's GET gets GraphiQL."""
    if request.method == "GET" and settings.DEBUG and "text/html" in request.headers.get("Accept", ""):
        page = render(request, "gateway/graphiql.html")
        page["Content-Security-Policy"] = _GRAPHIQL_POLICY
        return page
    asked = negotiate(request.headers.get("Accept-Language"))
    try:
        _check_transport(request)
        traveller = await traveller_of(request.headers.get("Authorization"))
        prepared = prepare(parse_json(request.body))
        operation = operation_of(request, traveller)
        if _EVENTS in request.headers.get("Accept", ""):
            return _stream(prepared, operation)
        if prepared.subscribes:
            raise Unanswerable([bad_input("Subscribe over WebSocket, or with Accept: text/event-stream.")])
        body = await answer(prepared, operation)
    except Unanswerable as refused:
        return _json(request, body_of_errors(refused.errors, asked or DEFAULT_LOCALE), refused.status)
    except DomainError as refused:
        return _json(request, body_of_refusal(refused, asked or DEFAULT_LOCALE), protocols_of(refused).http)
    response = _json(request, body, 200 if "data" in body else 400)
    response.cookies.update(operation.cookies)
    return response


def operation_of(request: HttpRequest, traveller: Traveller | None) -> Operation:
    """Return the context of an HTTP request's operation."""
    headers = request.headers
    return Operation(
        traveller=traveller,
        asked_locale=negotiate(headers.get("Accept-Language")),
        request_id=current_request_id(),
        traceparent=current_traceparent(),
        ip_address=address_of(request.META.get("REMOTE_ADDR") or "", [headers.get("X-Forwarded-For", "")]),
        user_agent=headers.get("User-Agent", "")[:300],
        refresh_cookie=request.COOKIES.get(cookies.NAME, ""),
        cookie_allowed=_own_page(headers.get("Origin"), headers.get("Sec-Fetch-Site")),
    )


def parse_json(body: bytes) -> Any:
    """Return a request's JSON. Raises Unanswerable for anything that RFC 8259 or Unicode does not allow."""
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in body:  # an escaped half of a surrogate pair is no character
            json.dumps(payload, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Unanswerable([bad_input("The body is not valid JSON.")]) from None
    return payload


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_transport(request: HttpRequest) -> None:
    if request.method != "POST":
        raise Unanswerable([bad_input("Send operations by POST.")], status=405)
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if request.content_type != _JSON or charset not in {"utf-8", "utf8"}:
        raise Unanswerable([bad_input("Send operations as application/json.")], status=415)


def _own_page(origin: str | None, site: str | None) -> bool:
    """Whether a request may use the cookie: it comes from a page of ours, or from no page at all."""
    if site is not None and site not in {"same-origin", "none"}:
        return False
    return origin is None or origin in settings.OWN_ORIGINS


def _json(request: HttpRequest, body: dict[str, Any], status: int) -> HttpResponse:
    kind = _GRAPHQL_JSON if _GRAPHQL_JSON in request.headers.get("Accept", "") else _JSON
    response = HttpResponse(dumps(body), content_type=f"{kind}; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    elif status == 405:
        response["Allow"] = "POST"
    return response


def dumps(body: Any) -> str:
    """Return an answer's JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _stream(prepared: Prepared, operation: Operation) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_events(prepared, operation), content_type=_EVENTS)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(prepared: Prepared, operation: Operation) -> AsyncIterator[str]:
    """Yield `next` events and a `complete` one (graphql-sse, distinct connections), a comment while nothing happens."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds_left(operation.traveller) if operation.traveller else None
    bodies = answers(prepared, operation)
    waiting: asyncio.Task[Any] | None = None
    try:
        yield ":\n\n"
        while True:
            waiting = waiting or asyncio.ensure_future(anext(bodies, None))
            patience = _HEARTBEAT_SECONDS if until is None else min(_HEARTBEAT_SECONDS, max(0.0, until - loop.time()))
            done, _ = await asyncio.wait({waiting}, timeout=patience)
            if until is not None and loop.time() >= until and prepared.subscribes:
                yield _event("next", body_of_refusal(Unauthenticated(), operation.known_locale))
                break
            if not done:
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
        await bodies.aclose()  # type: ignore[attr-defined]


def _event(kind: str, body: Any) -> str:
    return f"event: {kind}\ndata: {dumps(body) if body is not None else ''}\n\n"


def origin_of(url: str) -> str:
    """Return scheme and host of a URL, as a browser's Origin header has them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
