"""`manage destinations run_grpc`: serve travel.destinations.v1, and heal abandoned cuts of capacity."""

import threading
from typing import Any, Final

import grpc

from contracts.travel.destinations.v1.destinations_pb2_grpc import add_DestinationsServiceServicer_to_server
from destinations_service.catalogue import services
from destinations_service.catalogue.rpc.servicer import DestinationsServicer
from shared.housekeeping import repeated
from shared.rpc import RunGrpc

HEAL_SECONDS: Final = 10.0


class Command(RunGrpc):
    """Serve gRPC until SIGTERM."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, with the healing beside it."""
        with repeated(_heal, name="heal_cuts", first=HEAL_SECONDS, every=HEAL_SECONDS):
            super().handle(*args, **options)

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Add this service's servicer."""
        add_DestinationsServiceServicer_to_server(DestinationsServicer(), server)


def _heal(_stop: threading.Event) -> None:
    services.heal_cuts()
