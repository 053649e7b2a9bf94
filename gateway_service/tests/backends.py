"""The four services as real gRPC servers in this process. They answer from one World."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from contracts.travel.bookings.v1 import bookings_pb2_grpc
from contracts.travel.destinations.v1 import destinations_pb2_grpc
from contracts.travel.notifications.v1 import notifications_pb2_grpc
from contracts.travel.users.v1 import users_pb2_grpc
from gateway_service.tests import fake_services
from gateway_service.tests.world import World
from shared.rpc.testing import TestServer, running


@dataclass
class Backends:
    """The four running servers, and the World from which they answer."""

    world: World
    servers: dict[str, TestServer]

    @property
    def calls(self) -> Counter[str]:
        """How often each method was called, over all services."""
        return sum((server.calls for server in self.servers.values()), Counter())

    @classmethod
    def start(cls, stack: ExitStack) -> "Backends":
        """Start the servers. They stop when `stack` closes."""
        world = World()
        services = {
            "users": (users_pb2_grpc.add_UsersServiceServicer_to_server, fake_services.users(world)),
            "destinations": (
                destinations_pb2_grpc.add_DestinationsServiceServicer_to_server,
                fake_services.destinations(world),
            ),
            "bookings": (bookings_pb2_grpc.add_BookingsServiceServicer_to_server, fake_services.bookings(world)),
            "notifications": (
                notifications_pb2_grpc.add_NotificationsServiceServicer_to_server,
                fake_services.notifications(world),
            ),
        }

        def serve(add: Callable[[Any, Any], None], servicer: object) -> TestServer:
            return stack.enter_context(running(lambda server: add(servicer, server)))

        return cls(world, {name: serve(add, servicer) for name, (add, servicer) in services.items()})
