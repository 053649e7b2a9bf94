"""GraphQL over WebSocket: the graphql-transport-ws protocol as a plain ASGI application.

The message `connection_init` may contain a traveller's token. The socket is closed when that token expires or its
session ends.
Messages for a slow client wait in a bounded buffer. If the buffer is full, only that client's socket is closed.
"""

import asyncio
import contextlib
from typing import Final

import structlog
from django.conf import settings

from gateway_service.gateway.execution.documents import prepare
from gateway_service.gateway.execution.errors import InvalidRequest, body_of_errors, body_of_refusal
from gateway_service.gateway.execution.json_text import dumps, parse_json
from gateway_service.gateway.execution.run import Body, answers
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.asgi_types import Event, Receive, Scope, Send
from gateway_service.gateway.transport.callers import seconds_valid, traveller_of, until_revoked
from gateway_service.gateway.transport.socket_limit import SocketLimit
from shared.auth import Traveller
from shared.errors import DomainError, RateLimited, Unauthenticated
from shared.http.addresses import client_address
from shared.telemetry import bind_request, current_request_id, current_traceparent
from shared.text import DEFAULT_LOCALE, Locale, locale_of, negotiate

PROTOCOL: Final = "graphql-transport-ws"
BUFFERED_MESSAGES: Final = 100
MAX_OPERATIONS: Final = 50
MAX_MESSAGE: Final = 1_000_000
_CLOSE_SECONDS: Final = 15.0

log = structlog.get_logger(__name__)


class CloseSocket(Exception):
    """The socket must be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


BAD_MESSAGE: Final = "Invalid message"


def forbidden() -> CloseSocket:
    """Return the exception for a token that is invalid, has expired or was revoked."""
    return CloseSocket(4403, "Forbidden")


class Socket:
    """One connection, from its handshake to its close frame."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, socket_limit: SocketLimit) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._socket_limit = socket_limit
        self._out: asyncio.Queue[Body] = asyncio.Queue(BUFFERED_MESSAGES)
        self._end: asyncio.Future[CloseSocket] = asyncio.get_running_loop().create_future()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._traveller: Traveller | None = None
        self._locale: Locale | None = None
        self._acknowledged = False
        self._expiry: asyncio.TimerHandle | None = None
        self._until_closed = contextlib.ExitStack()

    async def run(self) -> None:
        """Serve the connection until the client or the gateway closes it."""
        await self._receive()
        offered = PROTOCOL in self._scope.get("subprotocols", ())
        await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None})
        if not offered:
            await self._close(CloseSocket(4406, "Subprotocol not acceptable"))
            return
        reading, writing = asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())
        ends: set[asyncio.Future[None] | asyncio.Future[CloseSocket]] = {reading, writing, self._end}
        init_timeout = asyncio.get_running_loop().call_later(
            settings.SOCKET_INIT_SECONDS, self._close_if_not_initialised
        )
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            init_timeout.cancel()
            self._until_closed.close()
            if self._expiry is not None:
                self._expiry.cancel()
            tasks = [reading, writing, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._traveller is not None:
                await self._socket_limit.release(self._traveller.id, self)
        if self._end.done():
            await self._close(self._end.result())

    async def _read(self) -> None:
        try:
            while True:
                event = await self._receive()
                if event["type"] == "websocket.disconnect":
                    return
                await self._handle(event)
        except CloseSocket as error:
            self._finish(error)
        except Exception as error:
            log.error("socket_failed", exc_info=error)
            self._finish(CloseSocket(1011, "Internal error"))

    async def _handle(self, event: Event) -> None:
        text = event.get("text")
        if text is None or len(text) > MAX_MESSAGE:
            raise CloseSocket(4400, BAD_MESSAGE)
        try:
            message = parse_json(text.encode("utf-8", "surrogatepass"))
        except InvalidRequest:
            raise CloseSocket(4400, BAD_MESSAGE) from None
        if not isinstance(message, dict):
            raise CloseSocket(4400, BAD_MESSAGE)
        kind = message.get("type")
        if kind == "connection_init":
            await self._init(message.get("payload"))
        elif kind == "ping":
            self._queue({"type": "pong"})
        elif kind == "subscribe":
            self._subscribe(message)
        elif kind == "complete" and isinstance(message.get("id"), str):
            if task := self._running.pop(message["id"], None):
                task.cancel()
        elif kind != "pong":
            raise CloseSocket(4400, BAD_MESSAGE)

    async def _init(self, payload: object) -> None:
        if self._acknowledged:
            raise CloseSocket(4429, "Too many initialisation requests")
        values = payload if isinstance(payload, dict) else {}
        authorization = values.get("authorization", values.get("Authorization"))
        if authorization is not None and not isinstance(authorization, str):
            raise forbidden()
        try:
            traveller = await traveller_of(authorization)
        except Unauthenticated:
            raise forbidden() from None
        except DomainError:
            raise CloseSocket(1013, "Try again later") from None
        if traveller is not None:
            seconds = seconds_valid(traveller)
            if not await self._socket_limit.admit(traveller.id, self, seconds=seconds):
                raise CloseSocket(4429, "Too many sockets")
            self._traveller = traveller
            self._expiry = asyncio.get_running_loop().call_later(seconds, self._finish, forbidden())
            self._until_closed.enter_context(until_revoked(traveller, lambda: self._finish(forbidden())))
        locale = values.get("locale")
        self._locale = locale_of(locale) if isinstance(locale, str) else negotiate(self._header(b"accept-language"))
        self._acknowledged = True
        self._queue({"type": "connection_ack"})

    def _subscribe(self, message: Body) -> None:
        if not self._acknowledged:
            raise CloseSocket(4401, "Unauthorized")
        name = message.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise CloseSocket(4400, BAD_MESSAGE)
        payload = message.get("payload")
        if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
            raise CloseSocket(4400, BAD_MESSAGE)
        if name in self._running:
            raise CloseSocket(4409, "Subscriber already exists")
        if len(self._running) >= MAX_OPERATIONS:
            raise CloseSocket(4429, "Too many operations")
        self._running[name] = asyncio.ensure_future(self._answer(name, payload))

    async def _answer(self, name: str, payload: object) -> None:
        with bind_request(locale=self._locale):
            try:
                if not await self._send_answers(name, payload):
                    return
                self._queue({"id": name, "type": "complete"})
            except CloseSocket as error:
                self._finish(error)
            except Exception as error:
                log.error("operation_failed", exc_info=error)
                self._finish(CloseSocket(1011, "Internal error"))
            finally:
                if self._running.get(name) is asyncio.current_task():
                    del self._running[name]

    async def _send_answers(self, name: str, payload: object) -> bool:
        """Queue every answer. Return whether `complete` must follow: it must not follow an error."""
        try:
            prepared = prepare(payload)
        except InvalidRequest as refused:
            errors = body_of_errors(refused.errors, self._locale or DEFAULT_LOCALE)["errors"]
            self._queue({"id": name, "type": "error", "payload": errors})
            return False
        operation = self._operation()
        try:
            operation.charge(prepared.cost)
        except RateLimited as refused:
            errors = body_of_refusal(refused, operation.known_locale)["errors"]
            self._queue({"id": name, "type": "error", "payload": errors})
            return False
        async with contextlib.aclosing(answers(prepared, operation)) as bodies:
            async for body in bodies:
                if "data" not in body:
                    self._queue({"id": name, "type": "error", "payload": body["errors"]})
                    return False
                self._queue({"id": name, "type": "next", "payload": body})
                await asyncio.sleep(0)
        return True

    def _operation(self) -> Operation:
        peer = (self._scope.get("client") or ("", 0))[0]
        return Operation(
            traveller=self._traveller,
            requested_locale=self._locale,
            request_id=current_request_id(),
            traceparent=current_traceparent(),
            ip_address=client_address(peer=peer, forwarded_for=self._header(b"x-forwarded-for")),
            user_agent=self._header(b"user-agent")[:300],
        )

    def _header(self, name: bytes) -> str:
        return ", ".join(value.decode("latin-1") for key, value in self._scope["headers"] if key == name)

    def _queue(self, message: Body) -> None:
        if self._end.done():
            return
        try:
            self._out.put_nowait(message)
        except asyncio.QueueFull:
            raise CloseSocket(1013, "Too slow a reader") from None

    async def _write(self) -> None:
        while True:
            message = await self._out.get()
            await self._send({"type": "websocket.send", "text": dumps(message).decode()})

    def _finish(self, reason: CloseSocket) -> None:
        if not self._end.done():
            self._end.set_result(reason)

    def _close_if_not_initialised(self) -> None:
        if not self._acknowledged:
            self._finish(CloseSocket(4408, "Connection initialisation timeout"))

    async def _close(self, reason: CloseSocket) -> None:
        """Send the close frame. Give up after _CLOSE_SECONDS, because the client may have stopped reading."""
        closing = self._send({"type": "websocket.close", "code": reason.code, "reason": reason.reason})
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(closing, _CLOSE_SECONDS)
