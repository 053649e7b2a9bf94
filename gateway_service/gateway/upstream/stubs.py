"""One typed gRPC stub for each service behind the gateway. Call its methods with `Operation.call`."""

from typing import Final

from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from contracts.travel.destinations.v1.destinations_pb2_grpc import DestinationsServiceStub
from contracts.travel.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from gateway_service.gateway.upstream.guarded_channel import GuardedChannel

_CHANNELS: Final = {name: GuardedChannel(name) for name in ("users", "destinations", "bookings", "notifications")}

users: Final = UsersServiceStub(_CHANNELS["users"])
destinations: Final = DestinationsServiceStub(_CHANNELS["destinations"])
bookings: Final = BookingsServiceStub(_CHANNELS["bookings"])
notifications: Final = NotificationsServiceStub(_CHANNELS["notifications"])


async def close_all() -> None:
    """Close the running event loop's channels."""
    for channel in _CHANNELS.values():
        await channel.close()
