"""What holds for every HTTP request, whoever answers it: limits, known hosts, the request's id, trace and language.

`POST /graphql` is answered by graphql_http.py, without Django. Django answers everything else.
"""

from typing import Final

from django.conf import settings
from django.utils.http import parse_header_parameters

from gateway_service.gateway.transport import cors, hosts
from gateway_service.gateway.transport.asgi_types import AsgiApplication, Receive, Scope, Send
from gateway_service.gateway.transport.graphql_http import answer_graphql
from gateway_service.gateway.transport.replies import Reply
from gateway_service.gateway.transport.requests import BodyTooLarge, ClientLeft, Request
from shared.telemetry import bind_request

GRAPHQL_PATH: Final = "/graphql"
_DIGITS: Final = 18


class Http:
    """Answers HTTP requests within the limits."""

    def __init__(self, django: AsgiApplication) -> None:
        self._django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        with bind_request(request.header(b"x-request-id"), request.header(b"traceparent"), request.locale) as id:
            reply = Reply(request, send, id)
            try:
                if not await _refuse(request, reply):
                    await self._answer(scope, request, reply)
            except BodyTooLarge:
                if not reply.started:
                    await reply.problem(413, "TOO_LARGE", close=True)
            except ClientLeft:
                pass

    async def _answer(self, scope: Scope, request: Request, reply: Reply) -> None:
        if headers := cors.preflight_headers(request):
            await reply.whole(204, headers, b"")
        elif request.path == GRAPHQL_PATH and not _asks_for_graphiql(request):
            await answer_graphql(request, reply)
        else:
            await self._django(scope, request.receive, reply.send)


async def _refuse(request: Request, reply: Reply) -> bool:
    """Refuse too large headers, a body that declares to be too large, an unknown host, and a Content-Type that nobody
    can read. Return whether it did so.

    The body of a refused request is not read to its end, so the connection is closed if it may have one.
    """
    if request.header_bytes > settings.MAX_HEADER_BYTES:
        await reply.problem(431, "HEADERS_TOO_LARGE", close=True)
        return True
    length = request.header(b"content-length") or "0"
    if not _is_number(length) or int(length) > settings.MAX_BODY_BYTES:
        await reply.problem(413, "TOO_LARGE", close=True)
        return True
    if not hosts.is_known(request.host):
        await reply.problem(400, "BAD_USER_INPUT", "Unknown host.")
        return True
    if not _is_readable(request.header(b"content-type") or ""):
        await reply.problem(400, "BAD_USER_INPUT", "Malformed Content-Type.", close=True)
        return True
    return False


def _is_readable(content_type: str) -> bool:
    """Return whether Django can parse the header. It raises for a parameter (RFC 2231) in an unknown charset."""
    try:
        return "*" not in content_type or bool(parse_header_parameters(content_type))
    except (LookupError, ValueError):
        return False


def _is_number(length: str) -> bool:
    return length.isascii() and length.isdigit() and len(length) <= _DIGITS  # Python refuses to read 4,301 digits


def _asks_for_graphiql(request: Request) -> bool:
    """Return whether a browser asks for the page of GraphiQL, which development has."""
    return request.method == "GET" and settings.DEBUG and "text/html" in (request.header(b"accept") or "")
