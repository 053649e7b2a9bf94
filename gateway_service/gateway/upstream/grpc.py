"""The four services behind the gateway, one client each."""

from collections.abc import Mapping
from typing import Final

from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from contracts.travel.destinations.v1.destinations_pb2_grpc import DestinationsServiceStub
from contracts.travel.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.rpc import AioClient

CLIENTS: Final[Mapping[str, AioClient]] = {
    "users": AioClient("users", UsersServiceStub),
    "destinations": AioClient("destinations", DestinationsServiceStub),
    "bookings": AioClient("bookings", BookingsServiceStub),
    "notifications": AioClient("notifications", NotificationsServiceStub),
}


async def close_all() -> None:
    """Close every channel of the running loop."""
    for client in CLIENTS.values():
        await client.close()
