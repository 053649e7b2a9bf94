"""What an admin page asks other services for. The page must also work if a service is unavailable.

These calls share no circuit breaker with those of travellers, and each may take two seconds.
"""

from typing import Final
from uuid import UUID

from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.deadline import Deadline
from shared.rpc import Channel, call

SECONDS = 2.0
_notifications: Final = NotificationsServiceStub(Channel("notifications"))
_users: Final = UsersServiceStub(Channel("users"))


def messages_of(*, booking_id: UUID) -> notifications_pb2.ListBookingMessagesResponse:
    """Return the mails and documents of a booking. Raises Unavailable, DeadlineExceeded."""
    request = notifications_pb2.ListBookingMessagesRequest(booking_id=str(booking_id))
    return call(_notifications.ListBookingMessages, request, deadline=Deadline.after(SECONDS))


def traveller_id_of(*, email: str) -> UUID | None:
    """Return the id of the account with this address, or None. Raises Unavailable, DeadlineExceeded."""
    answer = call(_users.FindTraveller, users_pb2.FindTravellerRequest(email=email), deadline=Deadline.after(SECONDS))
    return UUID(answer.traveller_id) if answer.traveller_id else None
