"""Serves methods: who may call, for which traveller, until when, and how a refusal is answered.

Unary methods are ordinary functions. They run in a small pool with as many threads as the database pool has
connections. Streams are async generators on the event loop. Neither ever sends the text of an unexpected exception.
"""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import contextlib
import contextvars
import functools
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeVar

import grpc
import structlog
from django.db import DataError, InterfaceError, OperationalError, close_old_connections
from google.protobuf.message import Message

from shared.auth import Traveller, verify_access_token, verify_service_credential
from shared.auth.open_connections import open_connections
from shared.deadline import Deadline
from shared.errors import (
    DeadlineExceeded,
    DomainError,
    Forbidden,
    Invalid,
    RateLimited,
    Unauthenticated,
    Unavailable,
    protocols_of,
)
from shared.rpc.context import bound, current_request_id
from shared.rpc.decoding import check_decoded
from shared.rpc.metadata import Metadata
from shared.rpc.status import internal, status_of
from shared.text import Locale

THREADS: Final = 8
MAX_WAITING: Final = 128
MAX_BATCH: Final = 1_000
DEFAULT_DEADLINE: Final = 10.0

Identity = Literal["required", "optional", "none"]

log = structlog.get_logger("rpc")

T = TypeVar("T")
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Call:
    """The context of a call. `traveller` is None only if the method allows it."""

    traveller: Traveller | None
    caller: str
    deadline: Deadline
    request_id: str
    locale: Locale

    @property
    def signed_in_traveller(self) -> Traveller:
        """The signed-in traveller. Raises Unauthenticated if the call has no traveller."""
        if self.traveller is None:
            raise Unauthenticated
        return self.traveller


class Workers:
    """The threads for unary methods. The number of waiting calls is bounded, so that a slow database sheds load.

    Each thread may use a database connection. `when_full` is what a call gets that may not even wait. If `owner_of`
    names the owner of a request, one owner takes at most half of the places, so that nobody keeps all others out.
    """

    def __init__(
        self,
        threads: int = THREADS,
        waiting: int = MAX_WAITING,
        *,
        when_full: type[Unavailable | RateLimited] = Unavailable,
        owner_of: Callable[[object], str] = lambda _: "",
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="rpc")
        self.limit = threads + waiting
        self._when_full = when_full
        self._owner_of = owner_of
        self._share = (self.limit + 1) // 2
        self._taken: Counter[str] = Counter()  # by owner

    async def run(self, function: Callable[[], T], *, timeout: float, request: Message | None = None) -> T:
        """Run `function`, which serves `request`, in a thread.

        Raises `when_full` if too many calls wait, or too many of one owner, and TimeoutError after `timeout` seconds.

        A thread cannot be interrupted. After a timeout its transaction still commits or rolls back as a whole.
        """
        owner = self._owner_of(request) if request is not None else ""
        if self._taken.total() >= self.limit or (owner and self._taken[owner] >= self._share):
            raise self._when_full(retry_after=1)
        loop = asyncio.get_running_loop()
        self._taken[owner] += 1
        future: Future[T] = self._pool.submit(contextvars.copy_context().run, function)
        future.add_done_callback(lambda _: _call_soon(loop, functools.partial(self._release, owner)))
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout)

    def _release(self, owner: str) -> None:
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]


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
        guard = _Guard(frozenset(callers), traveller, deadline)

        @functools.wraps(method)
        async def handler(self: Any, request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
            started = time.monotonic()
            until = guard.deadline(context)
            metadata = Metadata.read(context.invocation_metadata() or ())

            def work() -> Message:
                with _own_connections():
                    call = guard.admit(metadata, until)
                    _check_request(request)
                    return method(self, request, call)

            with bound(metadata):
                try:
                    answer = await workers.run(work, timeout=until.remaining(), request=request)
                    _note(method, metadata, "OK", started)
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
        guard = _Guard(frozenset(callers), traveller, DEFAULT_DEADLINE)

        @functools.wraps(method)
        async def handler(
            self: Any, request: Message, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Message]:
            started = time.monotonic()
            metadata = Metadata.read(context.invocation_metadata() or ())
            with bound(metadata), _open_streams.running() as stream:
                try:
                    admit = functools.partial(guard.admit, metadata, Deadline.after(DEFAULT_DEADLINE))
                    call = await _workers.run(admit, timeout=DEFAULT_DEADLINE)
                    _check_request(request)
                    with _open_streams.until_revoked(stream, call.traveller):
                        async for message in method(self, request, call):
                            with stream.sending():
                                yield message
                    _note(method, metadata, "OK", started)
                except asyncio.CancelledError:
                    if stream.ending is None:  # the client went away
                        raise
                    await _refuse(context, stream.ending, method, metadata, started)
                except Exception as error:
                    await _refuse(context, error, method, metadata, started)

        return _served(handler, guard)

    return decorate


@dataclass(eq=False, slots=True)
class _Stream:
    """An open stream, the task that serves it, and why it ends, if this server ends it."""

    task: asyncio.Task[Any] | None
    ending: DomainError | None = None
    _is_sending: bool = False

    def end(self, reason: DomainError) -> None:
        """End the stream, after the message that is being sent. Its client gets `reason`."""
        if self.task is None or self.ending is not None:
            return
        self.ending = reason
        if not self._is_sending:
            self.task.cancel()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Leave the task alone during the body: gRPC would take its cancellation, and the client would get no status.

        Raises the reason afterwards if the stream was ended meanwhile.
        """
        self._is_sending = True
        try:
            yield
        finally:
            self._is_sending = False
        if self.ending is not None:
            raise self.ending


class _OpenStreams:
    """The open streams of the process. They have no end of their own, so a stopping server ends them."""

    def __init__(self) -> None:
        self._open: set[_Stream] = set()

    @contextlib.contextmanager
    def running(self) -> Iterator[_Stream]:
        """Register the current task's stream during the body."""
        stream = _Stream(asyncio.current_task())
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    @contextlib.contextmanager
    def until_revoked(self, stream: _Stream, traveller: Traveller | None) -> Iterator[None]:
        """End the stream if the traveller's token is revoked during the body."""
        if traveller is None:
            yield
            return
        loop = asyncio.get_running_loop()
        revoked = functools.partial(_call_soon, loop, functools.partial(stream.end, Unauthenticated()))
        with open_connections.open(traveller, end=revoked):
            yield

    def end(self) -> None:
        """End every stream of the running loop and ask its client to reconnect."""
        loop = asyncio.get_running_loop()
        for stream in tuple(self._open):
            if stream.task is not None and stream.task.get_loop() is loop:
                stream.end(Unavailable(retry_after=1))


_open_streams = _OpenStreams()


def end_streams() -> None:
    """Answer UPSTREAM_UNAVAILABLE on every open stream of the running loop."""
    _open_streams.end()


@dataclass(frozen=True, slots=True)
class _Guard:
    """The conditions for running a method."""

    callers: frozenset[str]
    traveller: Identity
    seconds: float

    def deadline(self, context: grpc.aio.ServicerContext[Any, Any]) -> Deadline:
        remaining = context.time_remaining()
        return Deadline.after(self.seconds if remaining is None else min(remaining, self.seconds))

    def admit(self, metadata: Metadata, deadline: Deadline) -> Call:
        """Return the call's context. Raises Unauthenticated, Forbidden or DeadlineExceeded."""
        if not metadata.service_credential:
            raise Unauthenticated
        caller = verify_service_credential(metadata.service_credential)
        if caller not in self.callers:
            raise Forbidden
        traveller = self._traveller(metadata.traveller_token)
        deadline.check()
        return Call(traveller, caller, deadline, current_request_id(), metadata.locale)

    def _traveller(self, token: str) -> Traveller | None:
        if self.traveller == "none":
            return None
        if token:
            return verify_access_token(token)
        if self.traveller == "required":
            raise Unauthenticated
        return None


async def _refuse(
    context: grpc.aio.ServicerContext[Any, Any],
    error: Exception,
    method: Callable[..., Any],
    metadata: Metadata,
    started: float,
) -> NoReturn:
    refusal = _as_refusal(error)
    if refusal is None:
        log.exception("rpc_failed", method=_name(method), exc_info=error)
        status = internal()
    else:
        status = status_of(refusal, metadata.locale)
    code = protocols_of(refusal).grpc if refusal else grpc.StatusCode.INTERNAL
    _note(method, metadata, refusal.code if refusal else "INTERNAL", started)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, details)
    raise AssertionError("abort() never returns")


def _as_refusal(error: Exception) -> DomainError | None:
    if isinstance(error, DomainError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded()
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_refused", error=type(error.__cause__ or error).__name__)
        return Unavailable(retry_after=1)
    if isinstance(error, DataError):  # such as NUL in a text, which no database text may contain
        log.warning("database_refused", error="DataError")
        return Invalid()
    return None


def _check_request(request: Message) -> None:
    """Raise Invalid for bytes that are not protobuf, and for a repeated field of more than MAX_BATCH values."""
    check_decoded(request)
    for field, value in request.ListFields():
        if field.is_repeated and len(value) > MAX_BATCH:
            raise Invalid(field=field.name)


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


def _served(handler: _Handler, guard: _Guard) -> _Handler:
    """Mark a handler as guarded, for `assert_served`."""
    vars(handler)["served"] = guard
    return handler


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)
    else:
        function()


def _name(method: Callable[..., Any]) -> str:
    return method.__name__


def _note(method: Callable[..., Any], metadata: Metadata, code: str, started: float) -> None:
    log.info("rpc", method=_name(method), code=code, ms=round((time.monotonic() - started) * 1000, 1))


def assert_served(handler: Any) -> None:
    """Raise TypeError for a method without `rpc` or `rpc_stream`: anybody could call it."""
    function = inspect.unwrap(handler, stop=lambda f: hasattr(f, "served"))
    module = getattr(inspect.unwrap(handler), "__module__", "")
    if not hasattr(function, "served") and not module.startswith("contracts."):
        raise TypeError(f"{getattr(handler, '__qualname__', handler)} is served without @rpc or @rpc_stream")
