"""gRPC between the services: one way to serve a method, and one way to call it.

Server: `rpc`, `rpc_stream`, `Call`, and the management-command base `RunGrpc`. Client: `ServiceClient` (sync) and `AioClient`
(asyncio). A refusal crosses the wire as google.rpc details and is raised as the same DomainError in the caller.
`shared.rpc.mapping` converts protobuf values, and `shared.rpc.testing` runs a real server inside a test.
"""

from shared.rpc.client import AioClient, CallContext, ServiceClient
from shared.rpc.command import RunGrpc
from shared.rpc.server import Call, rpc, rpc_stream

__all__ = ["AioClient", "Call", "CallContext", "RunGrpc", "ServiceClient", "rpc", "rpc_stream"]
