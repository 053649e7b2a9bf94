"""The channels over which generated stubs call other services.

A channel opens nothing until its first call. Each call carries this service's credential. Only reads are retried,
because nothing can then happen twice.
"""

import asyncio
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any, Final, Generic, Self, TypeVar

import grpc
from django.core.exceptions import ImproperlyConfigured

from shared.auth import service_credential
from shared.rpc.hosting import MAX_MESSAGE_BYTES
from shared.rpc.metadata import SERVICE_CREDENTIAL
from shared.settings.env import env

_RETRIED: Final = ("Get", "List", "BatchGet", "BatchList", "Search", "Check")
_CONNECTIONS_PER_PROCESS: Final = 4
_Opened = TypeVar("_Opened", grpc.Channel, grpc.aio.Channel)


@dataclass(frozen=True, slots=True)
class _Connection(Generic[_Opened]):
    """The open channels of gRPC to a service, and the methods that were called over them: each channel in turn."""

    channels: Sequence[_Opened]
    methods: dict[str, Iterator[Any]] = field(default_factory=dict)

    @property
    def channel(self) -> _Opened:
        """The first channel, which stands for all when somebody asks for the state."""
        return self.channels[0]

    def method(self, path: str, coding: tuple[Any, Any]) -> Any:
        """Return the function that calls the method at `path` over the channel whose turn it is."""
        turns = self.methods.get(path)
        if turns is None:
            turns = self.methods[path] = cycle([channel.unary_unary(path, *coding) for channel in self.channels])
        return next(turns)


def _connections() -> int:
    """Return the number of connections to a service. The kernel spreads them at random over several processes there."""
    processes = env.whole_number("RPC_PROCESSES", default=1)
    return 1 if processes <= 1 else _CONNECTIONS_PER_PROCESS * processes


class _ServiceChannel(Generic[_Opened]):
    """The address of a service, the methods that a stub calls there, and how they are called."""

    def __init__(self, service: str, *, address: str | None = None) -> None:
        self._service = service
        self._address = address
        self._methods: list[str] = []

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> Any:
        """Return a function that calls the method at the path `method`. It opens a connection if there is none."""
        self._methods.append(method)
        return partial(self._call, method, (request_serializer, response_deserializer))

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Return a function that raises NotImplementedError: no caller here uses a streaming method."""
        return partial(_refuse_stream, method)

    stream_unary = stream_stream = unary_stream

    def _connection(self) -> _Connection[_Opened]:
        raise NotImplementedError

    def _call(self, path: str, coding: tuple[Any, Any], request: Any, *, metadata: Any = (), **options: Any) -> Any:
        method = self._connection().method(path, coding)
        credential = (SERVICE_CREDENTIAL, service_credential(self._service))
        return method(request, metadata=(credential, *metadata), **options)

    def _target(self) -> str:
        variable = f"{self._service.upper()}_GRPC"
        address = self._address or os.environ.get(variable, "")
        if not address:
            raise ImproperlyConfigured(f"{variable} is not set")
        return address

    def _options(self) -> Sequence[tuple[str, Any]]:
        return (
            ("grpc.service_config", json.dumps(_service_config(self._methods))),
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


class Channel(_ServiceChannel[grpc.Channel], grpc.Channel):
    """The channel of one service for sync code: a generated stub is built over it, once per process.

    `users = UsersServiceStub(Channel("users"))` opens nothing. The first call in a process opens its connection, after
    any fork. Threads may share it. Use `call` to call a method.
    """

    def __init__(self, service: str, *, address: str | None = None) -> None:
        super().__init__(service, address=address)
        self._lock = threading.Lock()
        self._opened: tuple[int, _Connection[grpc.Channel]] | None = None

    def close(self) -> None:
        """Close this process's connection. The next call opens another."""
        with self._lock:
            if self._opened is not None and self._opened[0] == os.getpid():
                for channel in self._opened[1].channels:
                    channel.close()
            self._opened = None

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False) -> None:
        """Call `callback` with each new state of this process's connection."""
        self._connection().channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Stop calling `callback`."""
        self._connection().channel.unsubscribe(callback)

    def _connection(self) -> _Connection[grpc.Channel]:
        opened = self._opened
        if opened is not None and opened[0] == os.getpid():
            return opened[1]
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                open_channel = partial(grpc.insecure_channel, self._target(), options=self._options())
                self._opened = (os.getpid(), _Connection([open_channel() for _ in range(_connections())]))
            return self._opened[1]


class AioChannel(_ServiceChannel[grpc.aio.Channel], grpc.aio.Channel):
    """The channel of one service for asyncio code: a generated stub is built over it, once per process.

    `bookings = BookingsServiceStub(AioChannel("bookings"))` opens nothing. The first call in an event loop opens a
    connection for that loop. Use `aio_call` to call a method.
    """

    def __init__(self, service: str, *, address: str | None = None) -> None:
        super().__init__(service, address=address)
        self._opened: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Connection[grpc.aio.Channel]] = (
            weakref.WeakKeyDictionary()
        )

    async def close(self, grace: float | None = None) -> None:
        """Close the running loop's connection. The next call opens another."""
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await asyncio.gather(*(channel.close(grace) for channel in opened.channels))

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the running loop's connection."""
        return self._connection().channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the running loop's connection leaves `last_observed_state`."""
        await self._connection().channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the running loop's connection is ready."""
        await self._connection().channel.channel_ready()

    async def __aenter__(self) -> Self:
        """Return the channel."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the running loop's connection."""
        await self.close()

    def _connection(self) -> _Connection[grpc.aio.Channel]:
        loop = asyncio.get_running_loop()
        opened = self._opened.get(loop)
        if opened is None:
            open_channel = partial(grpc.aio.insecure_channel, self._target(), options=self._options())
            opened = self._opened[loop] = _Connection([open_channel() for _ in range(_connections())])
        return opened


def _refuse_stream(method: str, *_: object, **__: object) -> None:
    raise NotImplementedError(f"{method} is a streaming method, which these channels do not call")


def _service_config(methods: Iterable[str]) -> dict[str, Any]:
    """Return the retry policy for `methods`: only reads, three attempts, and a budget that a failing service soon uses
    up.
    """
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
