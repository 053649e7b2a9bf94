"""The answers of one operation as server-sent events (SSE), as in graphql-sse's "distinct connections" mode."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Final

from gateway_service.gateway.execution.documents import Prepared
from gateway_service.gateway.execution.errors import body_of_refusal
from gateway_service.gateway.execution.json_text import dumps
from gateway_service.gateway.execution.run import Body, answers
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.transport.asgi_types import Header
from gateway_service.gateway.transport.callers import seconds_valid, until_revoked
from gateway_service.gateway.transport.replies import NO_STORE, Reply
from gateway_service.gateway.transport.requests import Request
from shared.errors import Unauthenticated

_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream"),
    NO_STORE,
    (b"x-accel-buffering", b"no"),
)
_HEARTBEAT_SECONDS: Final = 12.0
_COMMENT: Final = b":\n\n"


async def send_events(prepared: Prepared, operation: Operation, request: Request, reply: Reply) -> None:
    """Send a `next` event for each answer, then `complete`, until the client leaves."""
    await reply.begin(200, _HEADERS)
    sending = asyncio.ensure_future(_send(prepared, operation, reply))
    leaving = asyncio.ensure_future(request.until_client_leaves())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(prepared: Prepared, operation: Operation, reply: Reply) -> None:
    async with contextlib.aclosing(_events(prepared, operation)) as events:
        async for event in events:
            await reply.part(event)
    await reply.part(b"", more=False)


async def _events(prepared: Prepared, operation: Operation) -> AsyncGenerator[bytes, None]:
    """Yield the events.

    While no answer comes, an SSE comment (`:`) is sent every _HEARTBEAT_SECONDS, so that proxies keep the connection
    open. A subscription ends when the traveller's token expires or is revoked.
    """
    bodies = answers(prepared, operation)
    waiting: asyncio.Task[Body | None] | None = None
    with _refused_later(prepared, operation) as refused:
        try:
            yield _COMMENT
            while True:
                waiting = waiting or asyncio.create_task(_next(bodies))
                ends: set[asyncio.Future[Body | None] | asyncio.Future[None]] = {waiting, refused}
                await asyncio.wait(ends, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if refused.done():
                    yield _event(b"next", body_of_refusal(Unauthenticated(), operation.known_locale))
                    break
                if not waiting.done():
                    yield _COMMENT
                    continue
                body, waiting = waiting.result(), None
                if body is None:
                    break
                yield _event(b"next", body)
            yield _event(b"complete", None)
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


def _event(kind: bytes, body: Body | None) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind, dumps(body) if body is not None else b"")
