"""`manage users run_grpc`: serve travel.users.v1, and delete what is past its retention."""

from typing import Any

import grpc

from contracts.travel.users.v1.users_pb2_grpc import add_UsersServiceServicer_to_server
from shared.rpc import RunGrpc
from users_service.accounts.housekeeping import housekeeping
from users_service.accounts.rpc.servicer import UsersServicer


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, with the housekeeping beside it."""
        with housekeeping():
            super().handle(*args, **options)

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_UsersServiceServicer_to_server(UsersServicer(), server)
