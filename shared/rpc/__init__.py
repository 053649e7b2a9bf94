"""gRPC between the services: one way to serve a method, and one way to call it.

Server: `rpc`, `rpc_stream`, `Call`, `Workers`, and the command base `RunGrpc`. Client: a generated stub over a
`Channel`, whose methods `call` calls; for asyncio code over an `AioChannel`, whose methods `aio_call` calls. A refusal
crosses the wire as google.rpc details and is raised as the same DomainError in the caller. `shared.rpc.mapping`
converts protobuf values, and `shared.rpc.testing` runs a real server inside a test.
"""

from shared.rpc.channel import AioChannel, Channel
from shared.rpc.client import CallContext, aio_call, call
from shared.rpc.command import RunGrpc
from shared.rpc.guard import Call
from shared.rpc.server import rpc, rpc_stream
from shared.rpc.workers import Workers

__all__ = [
    "AioChannel",
    "Call",
    "CallContext",
    "Channel",
    "RunGrpc",
    "Workers",
    "aio_call",
    "call",
    "rpc",
    "rpc_stream",
]
