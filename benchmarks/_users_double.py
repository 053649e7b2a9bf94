"""users_service's part of a booking, in a process of its own: everybody may book. `python -m benchmarks._users_double PORT`."""

import asyncio
import sys
from typing import Any

import grpc

from contracts.travel.users.v1 import users_pb2, users_pb2_grpc


class Users(users_pb2_grpc.UsersServiceServicer):
    async def CheckTraveller(  # noqa: N802 - the method of the contract
        self, request: Any, context: Any
    ) -> users_pb2.CheckTravellerResponse:
        return users_pb2.CheckTravellerResponse()


async def main() -> None:
    """Serve until stopped."""
    server = grpc.aio.server()
    users_pb2_grpc.add_UsersServiceServicer_to_server(Users(), server)  # the one method that booking asks for
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
