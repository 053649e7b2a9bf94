"""Runs a gRPC server: one port, bounded load, a true health answer, and a stop that lets calls finish."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import grpc
import structlog
import uvloop
from django.conf import settings
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from shared.db import database_answers
from shared.errors import Invalid, protocols_of
from shared.garbage import freeze_imported
from shared.rpc.decoding import DecodingServer, check_decoded
from shared.rpc.server import assert_served
from shared.rpc.streams import open_streams
from shared.text import DEFAULT_LOCALE

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
MAX_CONCURRENT: Final = 2_000
STOP_GRACE_SECONDS: Final = 8.0
_HEALTH_FRESH_SECONDS: Final = 1.0
_HEALTH_WATCH_SECONDS: Final = 5.0

AddServices = Callable[[grpc.aio.Server], None]
Probe = Callable[[], bool]

log = structlog.get_logger("rpc")

OPTIONS: Final[Sequence[tuple[str, Any]]] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Clients ping an idle connection to notice that the peer is gone.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Health(health.aio.HealthServicer):
    """The standard health service: SERVING while the probe succeeds. The probe runs at most once a second."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe
        self._names: list[str] = [""]
        self._fresh_until = 0.0
        self._asking = asyncio.Lock()

    def watch_over(self, names: Sequence[str]) -> None:
        """Answer for these services too."""
        self._names.extend(names)

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        """Answer for one service, or for all if the name is empty."""
        await _refuse_undecodable(request, context)
        await self.refresh()
        return await super().Check(request, context)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Answer now, and whenever the state changes."""
        await _refuse_undecodable(request, context)
        await super().Watch(request, context)

    async def List(self, request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Refuse: nobody needs it. The base class would raise, which grpc answers with the name of the exception."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED)

    async def refresh(self) -> None:
        """Run the probe unless it ran within the last second."""
        async with self._asking:
            if time.monotonic() < self._fresh_until:
                return
            serving = await asyncio.to_thread(self._probe)
            status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
            for name in self._names:
                await self.set(name, status)
            self._fresh_until = time.monotonic() + _HEALTH_FRESH_SECONDS

    async def keep_fresh(self) -> None:
        """Refresh regularly for clients that watch, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(_HEALTH_WATCH_SECONDS)


async def _refuse_undecodable(request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    try:
        check_decoded(request)
    except Invalid as refusal:
        await context.abort(protocols_of(refusal).grpc, refusal.localized(DEFAULT_LOCALE))


class Registry:
    """Passes services on to the server, notes their names, and refuses methods without a guard."""

    def __init__(self, server: DecodingServer) -> None:
        self._server = server
        self.names: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(
        self, service: str, methods: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        for method in methods.values():
            assert_served(method.unary_unary or method.unary_stream or method.stream_unary or method.stream_stream)
        self.names.append(service)
        self._server.add_registered_method_handlers(service, methods)


class Host:
    """The gRPC server of a service. `start` serves, and `stop` lets running calls finish within the grace period.

    With `share_port`, other processes may serve the same port, and each gets some of the connections.
    """

    def __init__(
        self,
        *,
        add_services: AddServices,
        address: str,
        probe: Probe = database_answers,
        share_port: bool = False,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    ) -> None:
        # Without need, a second server could bind the same port without an error and take half of the calls.
        options = (*OPTIONS, ("grpc.so_reuseport", int(share_port)))
        self._server = grpc.aio.server(
            interceptors=interceptors, options=options, maximum_concurrent_rpcs=MAX_CONCURRENT
        )
        self._health = Health(probe)
        decoding = DecodingServer(self._server)
        registry = Registry(decoding)
        add_services(cast("grpc.aio.Server", registry))  # it has the two methods that generated code calls
        self._health.watch_over(registry.names)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, cast("grpc.aio.Server", decoding))
        if settings.DEBUG:
            _reflect(registry.names, self._server)
        self.port = self._server.add_insecure_port(address)
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve from now on."""
        await self._server.start()
        self._watch = asyncio.create_task(self._health.keep_fresh())

    async def stop(self, grace: float = STOP_GRACE_SECONDS) -> None:
        """Take no new calls, end streams at once, let other calls finish, and end the rest after `grace` seconds."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.ensure_future(self._server.stop(grace))
        await asyncio.sleep(0)
        open_streams.end()
        await stopping


def run(make_host: Callable[[], Host], *, started: Callable[[], None] = lambda: None) -> None:
    """Serve what `make_host` makes until SIGTERM or SIGINT, then stop gracefully. It is called in the event loop."""

    async def main() -> None:
        await _serve(make_host(), started)

    uvloop.run(main())


async def _serve(host: Host, started: Callable[[], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    freeze_imported()
    await host.start()
    started()
    await stopping.wait()
    log.info("stopping")
    await host.stop()


def _reflect(names: Sequence[str], server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection  # only for development; some images do not have it

    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
