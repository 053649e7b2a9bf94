"""`manage bookings run_grpc`: serve travel.bookings.v1."""

import grpc

from bookings_service.bookings.rpc.servicer import BookingsServicer
from contracts.travel.bookings.v1.bookings_pb2_grpc import add_BookingsServiceServicer_to_server
from shared.rpc import RunGrpc


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_BookingsServiceServicer_to_server(BookingsServicer(), server)
