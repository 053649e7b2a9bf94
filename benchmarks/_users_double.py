"""A double of users_service, in its own process: every traveller may book.

`python -m benchmarks._users_double PORT`.
"""

import asyncio
import sys

import grpc

from contracts.travel.users.v1 import users_pb2


async def check_traveller(
    request: users_pb2.CheckTravellerRequest, context: grpc.aio.ServicerContext
) -> users_pb2.CheckTravellerResponse:
    """Answer that the traveller may book."""
    return users_pb2.CheckTravellerResponse()


async def main() -> None:
    """Serve until the process is stopped. Only the method that a booking calls is served."""
    handler = grpc.unary_unary_rpc_method_handler(
        check_traveller,
        request_deserializer=users_pb2.CheckTravellerRequest.FromString,
        response_serializer=users_pb2.CheckTravellerResponse.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("travel.users.v1.UsersService", {"CheckTraveller": handler})]
    )
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
