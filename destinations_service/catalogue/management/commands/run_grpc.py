"""`manage destinations run_grpc`: serve travel.destinations.v1."""

import grpc

from contracts.travel.destinations.v1.destinations_pb2_grpc import add_DestinationsServiceServicer_to_server
from destinations_service.catalogue.rpc.servicer import DestinationsServicer
from shared.rpc import RunGrpc


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_DestinationsServiceServicer_to_server(DestinationsServicer(), server)
