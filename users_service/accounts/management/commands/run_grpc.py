"""`manage users run_grpc`: serve travel.users.v1."""

import grpc

from contracts.travel.users.v1.users_pb2_grpc import add_UsersServiceServicer_to_server
from shared.rpc import RunGrpc
from users_service.accounts.rpc.servicer import UsersServicer


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_UsersServiceServicer_to_server(UsersServicer(), server)
