"""`POST /graphql` as plain ASGI: one operation, answered as JSON, or as server-sent events if the client accepts those.

Each step is one function, in this order: read, admit, prepare, answer, write.
"""

from collections.abc import Iterator
from typing import Final

import structlog
from django.http.cookie import parse_cookie
from django.utils.http import parse_header_parameters
from graphql import OperationType

from gateway_service.gateway.execution.documents import Prepared, prepare
from gateway_service.gateway.execution.errors import InvalidRequest, bad_input, body_of_errors, body_of_refusal
from gateway_service.gateway.execution.json_text import dumps, parse_json
from gateway_service.gateway.execution.run import Body, answer
from gateway_service.gateway.operation import cookies
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.abandoned import cancelled_if_client_leaves
from gateway_service.gateway.transport.asgi_types import Header
from gateway_service.gateway.transport.callers import traveller_of
from gateway_service.gateway.transport.compression import compressed
from gateway_service.gateway.transport.deadlines import caller_deadline
from gateway_service.gateway.transport.event_stream import send_events
from gateway_service.gateway.transport.origins import may_use_cookie
from gateway_service.gateway.transport.replies import NO_STORE, Reply
from gateway_service.gateway.transport.requests import BodyTooLarge, ClientLeft, Request
from shared.auth import Traveller
from shared.deadline import Deadline
from shared.errors import DomainError, protocols_of
from shared.telemetry import current_request_id, current_traceparent
from shared.text import DEFAULT_LOCALE

_JSON: Final = "application/json"
_GRAPHQL_JSON: Final = "application/graphql-response+json"
_EVENT_STREAM: Final = "text/event-stream"
_JSON_ANSWER: Final = (b"content-type", b"application/json; charset=utf-8")
_GRAPHQL_JSON_ANSWER: Final = (b"content-type", b"application/graphql-response+json; charset=utf-8")
_OF_STATUS: Final[dict[int, Header]] = {401: (b"www-authenticate", b"Bearer"), 405: (b"allow", b"POST")}

log = structlog.get_logger("access")


async def answer_graphql(request: Request, reply: Reply) -> None:
    """Answer one operation. An unexpected exception is logged, and answered without its detail."""
    try:
        await _answer(request, reply)
    except (BodyTooLarge, ClientLeft):
        raise
    except Exception as error:
        log.error("request_failed", path=request.path, exc_info=error)
        if reply.started:
            raise
        await reply.problem(500, "INTERNAL")


async def _answer(request: Request, reply: Reply) -> None:
    try:
        text = await read(request)
        traveller = await admit(request)
        prepared = prepare(parse_json(text))
        deadline = None if prepared.subscribes else caller_deadline(request)
        streamed = _EVENT_STREAM in _accepted(request)
        operation = operation_of(request, traveller, deadline, can_set_cookies=not streamed)
        operation.charge(prepared.cost)
        if streamed:
            await send_events(prepared, operation, request, reply)
            return
        if prepared.subscribes:
            raise InvalidRequest([bad_input("Subscribe over WebSocket, or with Accept: text/event-stream.")])
        with cancelled_if_client_leaves(request):
            body = await answer(prepared, operation)
    except InvalidRequest as refused:
        await write(request, reply, body_of_errors(refused.errors, request.locale or DEFAULT_LOCALE), refused.status)
    except DomainError as refused:
        body = body_of_refusal(refused, request.locale or DEFAULT_LOCALE)
        await write(request, reply, body, protocols_of(refused).http)
    else:
        status = 200 if "data" in body else 400
        await write(request, reply, body, status, *set_cookies(operation), compress=can_compress(prepared))


async def read(request: Request) -> bytes:
    """Return the text of the request. Raises InvalidRequest unless it was sent by POST and as JSON."""
    text = await request.body()
    if request.method != "POST":
        raise InvalidRequest([bad_input("Send operations by POST.")], status=405)
    content_type = request.header(b"content-type") or ""
    if content_type != _JSON and not _is_json(content_type):
        raise InvalidRequest([bad_input("Send operations as application/json.")], status=415)
    return text


def _is_json(content_type: str) -> bool:
    kind, parameters = parse_header_parameters(content_type)
    return kind == _JSON and parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


async def admit(request: Request) -> Traveller | None:
    """Return who asks. Raises Unauthenticated for a header without a valid token."""
    return await traveller_of(request.header(b"authorization"))


def operation_of(
    request: Request, traveller: Traveller | None, deadline: Deadline | None, *, can_set_cookies: bool
) -> Operation:
    """Return the context for the operation of an HTTP request."""
    cookie = request.header(b"cookie")
    return Operation(
        traveller=traveller,
        requested_locale=request.locale,
        request_id=current_request_id(),
        traceparent=current_traceparent(),
        ip_address=request.client_address,
        user_agent=(request.header(b"user-agent") or "")[:300],
        refresh_cookie=parse_cookie(cookie).get(cookies.NAME, "") if cookie else "",
        can_set_cookies=can_set_cookies,
        caller_deadline=deadline,
        cookie_allowed=may_use_cookie(origin=request.header(b"origin"), site=request.header(b"sec-fetch-site")),
    )


def can_compress(prepared: Prepared) -> bool:
    """Return whether the answer may be compressed. Only a mutation's answer has tokens or sets a cookie.

    The size of a compressed text tells something about a secret in it, to somebody who can vary another part (BREACH).
    """
    return prepared.operation.definition.operation is OperationType.QUERY


async def write(request: Request, reply: Reply, body: Body, status: int, *more: Header, compress: bool = False) -> None:
    """Send `body` as JSON with the headers `more`."""
    kind = _GRAPHQL_JSON_ANSWER if _GRAPHQL_JSON in _accepted(request) else _JSON_ANSWER
    headers, text = [kind, NO_STORE, *more], dumps(body)
    if of_status := _OF_STATUS.get(status):
        headers.append(of_status)
    if compress and (smaller := compressed(text, request.header(b"accept-encoding") or "")):
        text, encoding = smaller
        headers += [(b"content-encoding", encoding), (b"vary", b"accept-encoding")]
    await reply.whole(status, headers, text)


def set_cookies(operation: Operation) -> Iterator[Header]:
    """Yield a header for each cookie that `operation` sets."""
    for morsel in operation.cookies.values():
        yield b"set-cookie", morsel.OutputString().encode("ascii")


def _accepted(request: Request) -> str:
    return request.header(b"accept") or ""
