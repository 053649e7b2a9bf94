"""Serves methods: who may call, for which traveller, until when, and how a refusal is answered.

Unary methods are ordinary functions. They run in a small pool with as many threads as the database pool has
connections. Streams are async generators on the event loop. Neither ever sends the text of an unexpected exception.
"""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import contextlib
import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import Any, Final, NoReturn, TypeVar

import grpc
import structlog
from django.db import close_old_connections
from google.protobuf.message import Message

from shared.deadline import Deadline
from shared.rpc.context import bound
from shared.rpc.guard import Guard, Identity, check_request
from shared.rpc.metadata import Metadata
from shared.rpc.refusing import abort, refusal_for
from shared.rpc.streams import open_streams
from shared.rpc.workers import Workers

DEFAULT_DEADLINE: Final = 10.0

log = structlog.get_logger("rpc")

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

_workers = Workers()


def rpc(
    *,
    callers: Collection[str],
    traveller: Identity = "required",
    deadline: float = DEFAULT_DEADLINE,
    workers: Workers = _workers,
) -> Callable[[Callable[..., Message]], Callable[..., Any]]:
    """Serve a sync method `(self, request, call: Call)` only to `callers`, within at most `deadline` seconds.

    Methods that wait for something slow take `workers` of their own, so that the others keep the common threads.

    The traveller's token is verified unless `traveller` is "none". An invalid token is refused even if it is optional.
    A refusal becomes google.rpc details, a database that is too busy UPSTREAM_UNAVAILABLE, and any other error
    INTERNAL.
    """

    def decorate(method: Callable[..., Message]) -> Callable[..., Any]:
        guard = Guard(frozenset(callers), traveller, deadline)

        @functools.wraps(method)
        async def handler(self: Any, request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
            started = time.monotonic()
            until = guard.deadline(context)
            metadata = Metadata.read(context.invocation_metadata() or ())

            def work() -> Message:
                with _own_connections():
                    call = guard.admit(metadata, until)
                    check_request(request)
                    return method(self, request, call)

            with bound(metadata):
                try:
                    answer = await workers.run(work, timeout=until.remaining(), request=request)
                    _note(method, "OK", started)
                    return answer
                except Exception as error:
                    await _refuse(context, error, method, metadata, started)

        return _served(handler, guard)

    return decorate


def rpc_stream(
    *, callers: Collection[str], traveller: Identity = "required"
) -> Callable[[Callable[..., AsyncIterator[Message]]], Callable[..., AsyncIterator[Message]]]:
    """Serve an async generator `(self, request, call: Call)` only to `callers`, until it ends, either side disconnects
    or the traveller's token is revoked.
    """

    def decorate(method: Callable[..., AsyncIterator[Message]]) -> Callable[..., AsyncIterator[Message]]:
        guard = Guard(frozenset(callers), traveller, DEFAULT_DEADLINE)

        @functools.wraps(method)
        async def handler(
            self: Any, request: Message, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Message]:
            started = time.monotonic()
            metadata = Metadata.read(context.invocation_metadata() or ())
            with bound(metadata), open_streams.running() as stream:
                try:
                    admit = functools.partial(guard.admit, metadata, Deadline.after(DEFAULT_DEADLINE))
                    call = await _workers.run(admit, timeout=DEFAULT_DEADLINE)
                    check_request(request)
                    with open_streams.until_revoked(stream, call.traveller):
                        async for message in method(self, request, call):
                            with stream.sending():
                                yield message
                    _note(method, "OK", started)
                except asyncio.CancelledError:
                    if stream.ending is None:  # the client went away
                        raise
                    await _refuse(context, stream.ending, method, metadata, started)
                except Exception as error:
                    await _refuse(context, error, method, metadata, started)

        return _served(handler, guard)

    return decorate


async def _refuse(
    context: grpc.aio.ServicerContext[Any, Any],
    error: Exception,
    method: Callable[..., Any],
    metadata: Metadata,
    started: float,
) -> NoReturn:
    refusal = refusal_for(error)
    if refusal is None:
        log.exception("rpc_failed", method=method.__name__, exc_info=error)
    _note(method, refusal.code if refusal else "INTERNAL", started)
    await abort(context, refusal, metadata.locale)


@contextlib.contextmanager
def _own_connections() -> Iterator[None]:
    """Drop database connections that are too old or broken, before and after.

    A pooled connection goes back each time.
    """
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def _served(handler: _Handler, guard: Guard) -> _Handler:
    """Mark a handler as guarded, for `assert_served`."""
    vars(handler)["served"] = guard
    return handler


def _note(method: Callable[..., Any], code: str, started: float) -> None:
    log.info("rpc", method=method.__name__, code=code, ms=round((time.monotonic() - started) * 1000, 1))


def assert_served(handler: Any) -> None:
    """Raise TypeError for a method without `rpc` or `rpc_stream`: anybody could call it."""
    function = inspect.unwrap(handler, stop=lambda f: hasattr(f, "served"))
    module = getattr(inspect.unwrap(handler), "__module__", "")
    if not hasattr(function, "served") and not module.startswith("contracts."):
        raise TypeError(f"{getattr(handler, '__qualname__', handler)} is served without @rpc or @rpc_stream")
