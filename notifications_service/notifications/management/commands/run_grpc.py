"""`manage notifications run_grpc`: serve travel.notifications.v1."""

import grpc

from contracts.travel.notifications.v1.notifications_pb2_grpc import add_NotificationsServiceServicer_to_server
from notifications_service.notifications.rpc.servicer import NotificationsServicer
from shared.rpc import RunGrpc


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_NotificationsServiceServicer_to_server(NotificationsServicer(), server)
