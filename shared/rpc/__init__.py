"""gRPC between the services: one way to serve a method, and one way to call it.

Server: `rpc`, `rpc_stream`, `Call`, and the management-command base `RunGrpc`. Client: `ServiceClient` for sync code; for
asyncio code a generated stub over an `AioChannel`, whose methods `call` calls. A refusal crosses the wire as google.rpc
details and is raised as the same DomainError in the caller. `shared.rpc.mapping` converts protobuf values, and
`shared.rpc.testing` runs a real server inside a test.
"""

from shared.rpc.client import AioChannel, CallContext, ServiceClient, call
from shared.rpc.command import RunGrpc
from shared.rpc.server import Call, rpc, rpc_stream

__all__ = ["AioChannel", "Call", "CallContext", "RunGrpc", "ServiceClient", "call", "rpc", "rpc_stream"]
