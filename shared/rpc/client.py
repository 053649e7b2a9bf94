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
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from django.core.exceptions import ImproperlyConfigured
from google.protobuf.message import Message

from shared.auth import service_credential
from shared.deadline import Deadline
from shared.rpc.context import current_locale, current_request_id, current_traceparent
from shared.rpc.hosting import MAX_MESSAGE_BYTES
from shared.rpc.metadata import Metadata, Pairs
from shared.rpc.status import refusal_of
from shared.text import Locale

DEFAULT_DEADLINE: Final = 5.0
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
        self._target = _Target(service, stub, address)
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
        metadata = self._target.metadata(token=traveller_token or "")
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
                channel = grpc.insecure_channel(self._target.address, options=self._target.options)
                self._opened = (os.getpid(), _Open(channel, self._target.stub(channel)))
            return self._opened[1].stub


class AioClient:
    """Calls one service from asyncio code. Each event loop has one channel, opened at the first call."""

    def __init__(self, service: str, stub: type, *, address: str | None = None) -> None:
        self._target = _Target(service, stub, address)
        self._opened: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Open] = weakref.WeakKeyDictionary()

    async def call(self, method: str, request: Message, *, context: CallContext | None = None) -> Any:
        """Return the response of `method`. Raises as ServiceClient.call does."""
        context = context or CallContext()
        context.deadline.check()
        metadata = self._target.metadata(
            token=context.token,
            request_id=context.request_id,
            locale=context.locale,
            traceparent=context.traceparent,
        )
        try:
            return await getattr(self._stub(), method)(request, timeout=context.deadline.remaining(), metadata=metadata)
        except grpc.RpcError as error:
            raise refusal_of(error) from error

    async def close(self) -> None:
        """Close the running loop's channel. The next call opens a new one."""
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await opened.channel.close()

    def _stub(self) -> Any:
        loop = asyncio.get_running_loop()
        opened = self._opened.get(loop)
        if opened is None:
            channel = grpc.aio.insecure_channel(self._target.address, options=self._target.options)
            opened = self._opened[loop] = _Open(channel, self._target.stub(channel))
        return opened.stub


@dataclass(frozen=True, slots=True)
class _Open:
    channel: Any
    stub: Any


class _Target:
    """The address of a service and the options of its channel."""

    def __init__(self, service: str, stub: type, address: str | None) -> None:
        self._service = service
        self._address = address
        self.stub: Any = stub

    @property
    def address(self) -> str:
        variable = f"{self._service.upper()}_GRPC"
        address = self._address or os.environ.get(variable, "")
        if not address:
            raise ImproperlyConfigured(f"{variable} is not set")
        return address

    @property
    def options(self) -> Sequence[tuple[str, Any]]:
        return (
            ("grpc.service_config", json.dumps(_service_config(self.stub))),
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

    def metadata(
        self, *, token: str, request_id: str = "", locale: Locale | None = None, traceparent: str = ""
    ) -> Pairs:
        return Metadata(
            service_credential=service_credential(self._service),
            traveller_token=token,
            request_id=request_id or current_request_id(),
            traceparent=traceparent or current_traceparent(),
            locale=locale or current_locale(),
        ).pairs()


def _service_config(stub: type) -> dict[str, Any]:
    """Return the retry policy: only reads, three attempts, and a budget that a failing service soon uses up."""
    module = importlib.import_module(stub.__module__.removesuffix("_grpc"))
    service = module.DESCRIPTOR.services_by_name[stub.__name__.removesuffix("Stub")]
    reads = [method.name for method in service.methods if method.name.startswith(_RETRIED)]
    return {
        "methodConfig": [
            {
                "name": [{"service": service.full_name, "method": name} for name in reads],
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
