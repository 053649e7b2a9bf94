"""Requests that are not valid protobuf.

grpc answers them with INTERNAL, before any code of ours runs. Here they reach the method's guard instead, which refuses
them like any malformed request, after it has checked the caller.
"""

from __future__ import annotations  # grpc's classes are generic only in their stubs

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from shared.errors import Invalid

_UNDECODABLE: Final = object()


def check_decoded(request: object) -> None:
    """Raise Invalid if the request was not valid protobuf."""
    if request is _UNDECODABLE:
        raise Invalid


class DecodingServer:
    """Passes services on to the server, with a deserializer that does not fail. Their methods call `check_decoded`."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Do nothing: generated code passes the same methods to `add_registered_method_handlers`."""

    def add_registered_method_handlers(
        self, service: str, methods: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Serve the methods of a service."""
        decoding = {name: _decoding(method) for name, method in methods.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, decoding),))


def _decoding(method: Any) -> Any:
    return method._replace(request_deserializer=_tolerant(method.request_deserializer))


def _tolerant(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return _UNDECODABLE

    return read
