"""A real server for tests: in this process, on a free port, in a thread of its own."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import uvloop

from shared.rpc.hosting import AddServices, Host, Probe


@dataclass(slots=True)
class TestServer:
    """Where the server listens, and how often each method was called."""

    __test__ = False

    port: int
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """`host:port`, the form of `<SERVICE>_GRPC`."""
        return f"127.0.0.1:{self.port}"


class _Counting(grpc.aio.ServerInterceptor):
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        self.calls[handler_call_details.method.rsplit("/", 1)[-1]] += 1
        return await continuation(handler_call_details)


@contextmanager
def running(add_services: AddServices, *, port: int = 0, probe: Probe = lambda: True) -> Iterator[TestServer]:
    """Serve `add_services` on 127.0.0.1 during the body, as in production: same options, guards, threads and health."""
    ready: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        counting = _Counting()
        try:
            host = Host(add_services=add_services, address=f"127.0.0.1:{port}", probe=probe, interceptors=[counting])
            await host.start()
        except Exception as error:
            state["error"] = error
            ready.set()
            return
        stop = asyncio.Event()
        state.update(
            server=TestServer(port=host.port, calls=counting.calls), stop=stop, loop=asyncio.get_running_loop()
        )
        ready.set()
        await stop.wait()
        await host.stop(grace=5)

    thread = threading.Thread(target=lambda: uvloop.run(main()), name="grpc-test-server", daemon=True)
    thread.start()
    ready.wait(10)
    if "error" in state:
        raise state["error"]
    try:
        yield state["server"]
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join(10)
