"""A server of the benchmark rpc_floor: `echo` is bare grpc.aio, `service` is users_service with two small methods.

`python -m benchmarks._rpc_floor_server echo|service PORT`.
"""

import asyncio
import sys
from typing import Any

import grpc

from contracts.travel.users.v1 import users_pb2 as pb
from contracts.travel.users.v1 import users_pb2_grpc


class Echo(users_pb2_grpc.UsersServiceServicer):
    """What grpc.aio costs without anything of ours."""

    async def BatchGetUsers(self, request: pb.BatchGetUsersRequest, context: Any) -> pb.BatchGetUsersResponse:
        """Answer nothing."""
        return pb.BatchGetUsersResponse()


async def echo(port: int) -> None:
    """Serve Echo until the process is stopped."""
    server = grpc.aio.server()
    users_pb2_grpc.add_UsersServiceServicer_to_server(Echo(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def service(port: int) -> None:
    """Serve users_service as in production, except that DescribeLink does nothing, and CheckTraveller runs SELECT 1."""
    import django

    django.setup()
    from django.db import connection

    from shared.rpc import Call, rpc
    from shared.rpc.hosting import Host, run
    from users_service.accounts.rpc.servicer import UsersServicer

    class Floor(UsersServicer):
        @rpc(callers={"gateway"})
        def DescribeLink(self, request: pb.DescribeLinkRequest, call: Call) -> pb.DescribeLinkResponse:
            return pb.DescribeLinkResponse()

        @rpc(callers={"gateway"})
        def CheckTraveller(self, request: pb.CheckTravellerRequest, call: Call) -> pb.CheckTravellerResponse:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return pb.CheckTravellerResponse()

    def add(server: grpc.aio.Server) -> None:
        users_pb2_grpc.add_UsersServiceServicer_to_server(Floor(), server)

    run(lambda: Host(add_services=add, address=f"127.0.0.1:{port}"))


if __name__ == "__main__":
    kind, given = sys.argv[1], int(sys.argv[2])
    if kind == "echo":
        asyncio.run(echo(given))
    else:
        service(given)
