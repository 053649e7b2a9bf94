"""Calls methods of other services.

Each process has one channel to a service. A call takes the rest of the caller's deadline. Only reads are retried, because
nothing can then happen twice. A refusal of the other service is raised as the same DomainError.
"""

import asyncio
import importlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Self, TypeVar

import grpc
from django.core.exceptions import ImproperlyConfigured
from google.protobuf.message import Message

from shared.auth import service_credential
from shared.deadline import Deadline
from shared.rpc.context import current_locale, current_request_id, current_traceparent
from shared.rpc.hosting import MAX_MESSAGE_BYTES
from shared.rpc.metadata import SERVICE_CREDENTIAL, Metadata, Pairs
from shared.rpc.status import refusal_of
from shared.text import Locale

DEFAULT_DEADLINE: Final = 5.0
Request = TypeVar("Request")
Response = TypeVar("Response")
_RETRIED: Final = ("Get", "List", "BatchGet", "BatchList", "Search", "Check")


@dataclass(frozen=True, slots=True)
class CallContext:
    """The context of an asyncio call: the traveller's token, the deadline, the request and the language."""

    token: str = ""
    deadline: Deadline = field(default_factory=lambda: Deadline.after(DEFAULT_DEADLINE))
    request_id: str = ""
    locale: Locale | None = None
    traceparent: str = ""


class ServiceClient:
    """Calls one service from sync code. Threads may share it. The channel opens at the first call, after any fork."""

    def __init__(self, service: str, stub: type, *, address: str | None = None) -> None:
        self._target = _Target(service, address)
        self._stub_class: Any = stub
        self._lock = threading.Lock()
        self._opened: tuple[int, Any] | None = None

    def call(
        self, method: str, request: Message, *, deadline: Deadline | None = None, traveller_token: str | None = None
    ) -> Any:
        """Return the response of `method`.

        Raises the DomainError that the service raised, Unavailable or DeadlineExceeded if it did not answer, or RpcFailed
        if it failed unexpectedly.
        """
        until = deadline or Deadline.after(DEFAULT_DEADLINE)
        until.check()
        metadata = _metadata(credential=service_credential(self._target.service), token=traveller_token or "")
        try:
            return getattr(self._stub(), method)(request, timeout=until.remaining(), metadata=metadata)
        except grpc.RpcError as error:
            raise refusal_of(error) from error

    def close(self) -> None:
        """Close the channel. The next call opens a new one."""
        with self._lock:
            if self._opened is not None and self._opened[0] == os.getpid():
                self._opened[1].channel.close()
            self._opened = None

    def _stub(self) -> Any:
        opened = self._opened
        if opened is not None and opened[0] == os.getpid():
            return opened[1].stub
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                options = self._target.options(_paths(self._stub_class))
                channel = grpc.insecure_channel(self._target.address, options=options)
                self._opened = (os.getpid(), _Open(channel, self._stub_class(channel)))
            return self._opened[1].stub


class AioChannel(grpc.aio.Channel):
    """The channel of one service for asyncio code: a generated stub is built over it, once per process.

    `bookings = BookingsServiceStub(AioChannel("bookings"))` opens nothing. The first call in an event loop opens a
    connection for that loop. Each call carries this service's credential. Use `call` to call a method.
    """

    def __init__(self, service: str, *, address: str | None = None) -> None:
        self._target = _Target(service, address)
        self._methods: list[str] = []
        self._opened: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _OpenChannel] = weakref.WeakKeyDictionary()

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Request], bytes] | None = None,
        response_deserializer: Callable[[bytes], Response] | None = None,
        _registered_method: bool | None = False,
    ) -> "grpc.aio.UnaryUnaryMultiCallable[Request, Response]":
        """Return the method at the path `method`, callable in every event loop."""
        self._methods.append(method)
        return _UnaryMethod(self, method, request_serializer, response_deserializer)

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Return a function that raises NotImplementedError: no asyncio code here calls a streaming method."""
        return partial(_refuse_stream, method)

    stream_unary = stream_stream = unary_stream

    def open(self) -> "_OpenChannel":
        """Return the running loop's connection; open it if this is the loop's first call."""
        loop = asyncio.get_running_loop()
        opened = self._opened.get(loop)
        if opened is None:
            channel = grpc.aio.insecure_channel(self._target.address, options=self._target.options(self._methods))
            opened = self._opened[loop] = _OpenChannel(channel)
        return opened

    def credential(self) -> tuple[str, str]:
        """Return the metadata that says which service calls."""
        return (SERVICE_CREDENTIAL, service_credential(self._target.service))

    async def close(self, grace: float | None = None) -> None:
        """Close the running loop's connection; the next call opens another."""
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await opened.channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the running loop's connection."""
        return self.open().channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the running loop's connection leaves `last_observed_state`."""
        await self.open().channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the running loop's connection is ready."""
        await self.open().channel.channel_ready()

    async def __aenter__(self) -> Self:
        """Return the channel."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the running loop's connection."""
        await self.close()


class _UnaryMethod(grpc.aio.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # generic in its stubs only
    """One method of an AioChannel."""

    def __init__(self, channel: AioChannel, path: str, *coding: Any) -> None:
        self._channel = channel
        self._path = path
        self._coding = coding

    def __call__(self, request: Any, *, metadata: Any = (), **options: Any) -> Any:
        opened = self._channel.open()
        method = opened.methods.get(self._path)
        if method is None:
            method = opened.methods[self._path] = opened.channel.unary_unary(self._path, *self._coding)
        return method(request, metadata=(self._channel.credential(), *metadata), **options)


def _refuse_stream(method: str, *_: object, **__: object) -> None:
    raise NotImplementedError(f"{method} is a streaming method, which AioChannel does not call")


async def call(
    method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    *,
    context: CallContext | None = None,
) -> Response:
    """Return the response of `method`, a method of a stub over an AioChannel. Raises as ServiceClient.call does."""
    context = context or CallContext()
    context.deadline.check()
    metadata = _metadata(
        token=context.token,
        request_id=context.request_id,
        locale=context.locale,
        traceparent=context.traceparent,
    )
    try:
        return await method(request, timeout=context.deadline.remaining(), metadata=metadata)
    except grpc.RpcError as error:
        raise refusal_of(error) from error


@dataclass(frozen=True, slots=True)
class _OpenChannel:
    channel: grpc.aio.Channel
    methods: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Open:
    channel: Any
    stub: Any


class _Target:
    """The address of a service and the options of its channel."""

    def __init__(self, service: str, address: str | None) -> None:
        self.service = service
        self._address = address

    @property
    def address(self) -> str:
        variable = f"{self.service.upper()}_GRPC"
        address = self._address or os.environ.get(variable, "")
        if not address:
            raise ImproperlyConfigured(f"{variable} is not set")
        return address

    def options(self, methods: Iterable[str]) -> Sequence[tuple[str, Any]]:
        """Return the options of a channel that calls `methods`, by their paths."""
        return (
            ("grpc.service_config", json.dumps(_service_config(methods))),
            ("grpc.enable_retries", 1),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # A restarted service is reached again within a second.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            # Channels to the same address share no connection, so that closing one closes its connection.
            ("grpc.use_local_subchannel_pool", 1),
        )


def _metadata(
    *, token: str, credential: str = "", request_id: str = "", locale: Locale | None = None, traceparent: str = ""
) -> Pairs:
    return Metadata(
        service_credential=credential,
        traveller_token=token,
        request_id=request_id or current_request_id(),
        traceparent=traceparent or current_traceparent(),
        locale=locale or current_locale(),
    ).pairs()


def _paths(stub: type) -> list[str]:
    """Return the path of each method of a generated stub."""
    module = importlib.import_module(stub.__module__.removesuffix("_grpc"))
    service = module.DESCRIPTOR.services_by_name[stub.__name__.removesuffix("Stub")]
    return [f"/{service.full_name}/{method.name}" for method in service.methods]


def _service_config(methods: Iterable[str]) -> dict[str, Any]:
    """Return the retry policy for `methods`: only reads, three attempts, and a budget that a failing service soon uses up."""
    named = [path.removeprefix("/").split("/") for path in methods]
    return {
        "methodConfig": [
            {
                "name": [{"service": service, "method": name} for service, name in named if name.startswith(_RETRIED)],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
