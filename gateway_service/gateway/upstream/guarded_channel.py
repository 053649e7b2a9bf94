"""The channel to one service, with a circuit breaker: a service that hangs is asked nothing until it answers again.

The breaker does not count failures, because a slow answer says little: a search takes a second, a booking waits for
locks. If an answer is late, the breaker asks the service for a sign of life, which is the standard health check.
"""

import asyncio
import contextvars
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc
import structlog
from grpc_health.v1 import health_pb2

from shared.errors import Unavailable
from shared.rpc import AioChannel

LATE_SECONDS: Final = 0.5  # after which a sign of life is asked for
SIGN_SECONDS: Final = 1.3  # in which it must come
RETURN_SECONDS: Final = 0.9  # the same for a service that hangs
PAUSE_SECONDS: Final = 0.3
_GRACE_SECONDS: Final = 10.0  # longer than any call: an old connection is closed after its last one
_READS: Final = ("Get", "List", "BatchGet", "BatchList", "Search", "Check", "Describe")
_NO_SIGN: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}

log = structlog.get_logger(__name__)

Call = Callable[..., Any]


class GuardedChannel(AioChannel):
    """A channel whose calls raise Unavailable at once while the service hangs or its database does not answer.

    That is noticed LATE_SECONDS + SIGN_SECONDS after the first call. Reads under way then raise Unavailable too. A call
    that changes something keeps its deadline, because nobody knows whether it has taken effect. Afterwards the service
    is asked for a sign of life about once a second, and calls go on as soon as it gives one.
    """

    def __init__(self, service: str, *, address: str | None = None) -> None:
        super().__init__(service, address=address)
        self._sign_of_life: Call = super().unary_unary(
            "/grpc.health.v1.Health/Check",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        self._breakers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Breaker] = weakref.WeakKeyDictionary()

    def unary_unary(self, method: str, *coding: Any, **options: Any) -> Any:
        """Return an async function that calls the method at the path `method`, guarded by the breaker."""
        is_read = method.rpartition("/")[2].startswith(_READS)
        return partial(self._guarded, super().unary_unary(method, *coding, **options), is_read)

    async def close(self, grace: float | None = None) -> None:
        """Close the running loop's connection, and forget what was known of the service."""
        breaker = self._breakers.pop(asyncio.get_running_loop(), None)
        if breaker is not None:
            breaker.stop()
        await super().close(grace)

    async def _guarded(self, call: Call, is_read: bool, request: Any, **options: Any) -> Any:
        breaker = self._breaker()
        if breaker.is_open:
            raise Unavailable(retry_after=1)
        pending = call(request, **options)
        if is_read:
            breaker.reads.add(pending)
        late = asyncio.get_running_loop().call_later(LATE_SECONDS, breaker.suspect)
        try:
            return await pending
        except asyncio.CancelledError:
            if breaker.gave_up(pending):
                raise Unavailable(retry_after=1) from None
            raise
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                breaker.suspect()
            raise
        finally:
            late.cancel()
            breaker.reads.discard(pending)

    def _breaker(self) -> "_Breaker":
        loop = asyncio.get_running_loop()
        if (breaker := self._breakers.get(loop)) is None:
            breaker = self._breakers[loop] = _Breaker(self._service, self._gives_sign, self._renew)
        return breaker

    async def _gives_sign(self, seconds: float) -> bool:
        """Return whether the service answers within `seconds` and can serve. Any refusal is a sign of life too."""
        try:
            answer = await self._sign_of_life(health_pb2.HealthCheckRequest(), timeout=seconds)
        except grpc.RpcError as error:
            return error.code() not in _NO_SIGN
        except Exception:  # a breaker that is broken itself must not refuse calls for ever
            log.exception("upstream_check_failed", upstream=self._service)
            return True
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _renew(self) -> None:
        """Let the next call open another connection. Close the present one after its calls have ended."""
        await super().close(_GRACE_SECONDS)


class _Breaker:
    """What one event loop knows of a service. `reads` has its reads under way."""

    def __init__(
        self, service: str, gives_sign: Callable[[float], Awaitable[bool]], renew: Callable[[], Awaitable[None]]
    ) -> None:
        self.is_open = False
        self.reads: set[Any] = set()
        self._service = service
        self._gives_sign = gives_sign
        self._renew = renew
        self._given_up: weakref.WeakSet[Any] = weakref.WeakSet()
        self._watch: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Future[None]] = set()

    def suspect(self) -> None:
        """Ask for a sign of life, unless that is being done."""
        if self._watch is None or self._watch.done():
            # An empty context: the task belongs to no operation.
            self._watch = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    def gave_up(self, read: Any) -> bool:
        """Return whether the breaker ended a read, and not the operation that wanted it."""
        task = asyncio.current_task()
        return read in self._given_up and not (task and task.cancelling())

    def stop(self) -> None:
        """Stop asking."""
        if self._watch is not None:
            self._watch.cancel()

    async def _run(self) -> None:
        if await self._gives_sign(SIGN_SECONDS):
            return
        self.is_open = True
        log.warning("upstream_silent", upstream=self._service)
        for read in list(self.reads):
            self._given_up.add(read)
            read.cancel()
        while not await self._gives_sign_anew():  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(PAUSE_SECONDS)
        self.is_open = False
        log.info("upstream_answers", upstream=self._service)

    async def _gives_sign_anew(self) -> bool:
        """Ask over a new connection. The old one may be broken without anybody having noticed."""
        closing = asyncio.ensure_future(self._renew())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.sleep(0)  # the old connection is now detached
        return await self._gives_sign(RETURN_SECONDS)
