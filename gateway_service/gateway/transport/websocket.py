"""GraphQL over WebSocket: the graphql-transport-ws protocol as a plain ASGI application.

A socket belongs to the traveller of its `connection_init` and ends with that token. What a reader does not take piles up in
a bounded buffer; a reader too slow for it is closed, alone.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog
from django.conf import settings

from gateway_service.gateway.execution.documents import Unanswerable, prepare
from gateway_service.gateway.execution.errors import body_of_errors
from gateway_service.gateway.execution.run import answers
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.callers import address_of, seconds_left, traveller_of
from gateway_service.gateway.transport.http import dumps, parse_json
from gateway_service.gateway.transport.socket_limit import Places
from shared.auth import Traveller
from shared.errors import DomainError, Unauthenticated
from shared.telemetry import bind_request, current_request_id, current_traceparent
from shared.text import DEFAULT_LOCALE, Locale, locale_of, negotiate

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PROTOCOL: Final = "graphql-transport-ws"
BUFFERED_MESSAGES: Final = 100
MAX_OPERATIONS: Final = 50
MAX_MESSAGE: Final = 1_000_000
_LAST_WORD_SECONDS: Final = 15.0

log = structlog.get_logger("gateway.sockets")


class Closed(Exception):
    """The socket ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


BAD_MESSAGE: Final = "Invalid message"


def expired() -> Closed:
    """Return the end of a socket whose token holds no longer, or never did."""
    return Closed(4403, "Forbidden")


class Socket:
    """One connection, from its handshake to its close frame."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, places: Places) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._places = places
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue(BUFFERED_MESSAGES)
        self._end: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._traveller: Traveller | None = None
        self._locale: Locale | None = None
        self._acknowledged = False
        self._expiry: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve until either side ends it."""
        await self._receive()
        offered = PROTOCOL in self._scope.get("subprotocols", ())
        await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None})
        if not offered:
            await self._close(Closed(4406, "Subprotocol not acceptable"))
            return
        reading, writing = asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())
        ends: set[asyncio.Future[Any]] = {reading, writing, self._end}
        patience = asyncio.get_running_loop().call_later(settings.SOCKET_INIT_SECONDS, self._out_of_patience)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
            if self._expiry is not None:
                self._expiry.cancel()
            tasks = [reading, writing, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._traveller is not None:
                await self._places.leave(self._traveller.id, self)
        if self._end.done():
            await self._close(self._end.result())

    async def _read(self) -> None:
        try:
            while True:
                event = await self._receive()
                if event["type"] == "websocket.disconnect":
                    return
                await self._take(event)
        except Closed as closed:
            self._finish(closed)
        except Exception as error:
            log.error("socket failed", exc_info=error)
            self._finish(Closed(1011, "Internal error"))

    async def _take(self, event: MutableMapping[str, Any]) -> None:
        text = event.get("text")
        if text is None or len(text) > MAX_MESSAGE:
            raise Closed(4400, BAD_MESSAGE)
        try:
            message = parse_json(text.encode("utf-8", "surrogatepass"))
        except Unanswerable:
            raise Closed(4400, BAD_MESSAGE) from None
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "connection_init":
            await self._init(message.get("payload"))
        elif kind == "ping":
            self._put({"type": "pong"})
        elif kind == "subscribe":
            self._subscribe(message)
        elif kind == "complete" and isinstance(message.get("id"), str):
            if task := self._running.pop(message["id"], None):
                task.cancel()
        elif kind != "pong":
            raise Closed(4400, BAD_MESSAGE)

    async def _init(self, payload: Any) -> None:
        if self._acknowledged:
            raise Closed(4429, "Too many initialisation requests")
        said = payload if isinstance(payload, dict) else {}
        authorization = said.get("authorization", said.get("Authorization"))
        if authorization is not None and not isinstance(authorization, str):
            raise expired()
        try:
            traveller = await traveller_of(authorization)
        except Unauthenticated:
            raise expired() from None
        except DomainError:
            raise Closed(1013, "Try again later") from None
        if traveller is not None:
            left = seconds_left(traveller)
            if not await self._places.take(traveller.id, self, seconds=left):
                raise Closed(4429, "Too many sockets")
            self._traveller = traveller
            self._expiry = asyncio.get_running_loop().call_later(left, self._finish, expired())
        asked = said.get("locale")
        self._locale = locale_of(asked) if isinstance(asked, str) else negotiate(self._header(b"accept-language"))
        self._acknowledged = True
        self._put({"type": "connection_ack"})

    def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise Closed(4401, "Unauthorized")
        name = message.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise Closed(4400, BAD_MESSAGE)
        if name in self._running:
            raise Closed(4409, "Subscriber already exists")
        if len(self._running) >= MAX_OPERATIONS:
            raise Closed(4429, "Too many operations")
        self._running[name] = asyncio.ensure_future(self._answer(name, message.get("payload")))

    async def _answer(self, name: str, payload: Any) -> None:
        with bind_request(locale=self._locale):
            try:
                if not await self._answered(name, payload):
                    return
                self._put({"id": name, "type": "complete"})
            except Closed as closed:
                self._finish(closed)
            except Exception as error:
                log.error("operation failed", exc_info=error)
                self._finish(Closed(1011, "Internal error"))
            finally:
                if self._running.get(name) is asyncio.current_task():
                    del self._running[name]

    async def _answered(self, name: str, payload: Any) -> bool:
        """Send every answer; return whether the operation still has to be completed."""
        try:
            prepared = prepare(payload)
        except Unanswerable as refused:
            errors = body_of_errors(refused.errors, self._locale or DEFAULT_LOCALE)["errors"]
            self._put({"id": name, "type": "error", "payload": errors})
            return False
        async with contextlib.aclosing(answers(prepared, self._operation())) as bodies:  # type: ignore[type-var]
            async for body in bodies:
                if "data" not in body:
                    self._put({"id": name, "type": "error", "payload": body["errors"]})
                    return False
                self._put({"id": name, "type": "next", "payload": body})
                await asyncio.sleep(0)
        return True

    def _operation(self) -> Operation:
        peer = (self._scope.get("client") or ("", 0))[0]
        return Operation(
            traveller=self._traveller,
            asked_locale=self._locale,
            request_id=current_request_id(),
            traceparent=current_traceparent(),
            ip_address=address_of(peer, [self._header(b"x-forwarded-for")]),
            user_agent=self._header(b"user-agent")[:300],
        )

    def _header(self, name: bytes) -> str:
        return ", ".join(value.decode("latin-1") for key, value in self._scope["headers"] if key == name)

    def _put(self, message: dict[str, Any]) -> None:
        if self._end.done():
            return
        try:
            self._out.put_nowait(message)
        except asyncio.QueueFull:
            raise Closed(1013, "Too slow a reader") from None

    async def _write(self) -> None:
        while True:
            message = await self._out.get()
            await self._send({"type": "websocket.send", "text": dumps(message)})

    def _finish(self, closed: Closed) -> None:
        if not self._end.done():
            self._end.set_result(closed)

    def _out_of_patience(self) -> None:
        if not self._acknowledged:
            self._finish(Closed(4408, "Connection initialisation timeout"))

    async def _close(self, closed: Closed) -> None:
        """Send the close frame; a reader that takes nothing for a while goes without one."""
        closing = self._send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(closing, _LAST_WORD_SECONDS)
