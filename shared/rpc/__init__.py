"""gRPC between the services: one way to serve a method, one way to call one.

Server: `rpc`, `rpc_stream`, `Call`, and the management-command base `RunGrpc`. Client: `ServiceClient` (sync) and `AioClient`
(asyncio). Refusals cross the wire as google.rpc details and come out as the same DomainError; `shared.rpc.mapping` turns
protobuf values into ours, and `shared.rpc.testing` runs a real server inside a test.
"""

from shared.rpc.client import AioClient, CallContext, ServiceClient
from shared.rpc.command import RunGrpc
from shared.rpc.server import Call, rpc, rpc_stream

__all__ = ["AioClient", "Call", "CallContext", "RunGrpc", "ServiceClient", "rpc", "rpc_stream"]
