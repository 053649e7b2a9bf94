"""What an admin page asks other services for. The page must also work if a service is unavailable.

These calls share no circuit breaker with those of travellers, and each may take two seconds.
"""

from uuid import UUID

from contracts.travel.notifications.v1 import notifications_pb2, notifications_pb2_grpc
from contracts.travel.users.v1 import users_pb2, users_pb2_grpc
from shared.deadline import Deadline
from shared.rpc import ServiceClient

SECONDS = 2.0
_notifications = ServiceClient("notifications", notifications_pb2_grpc.NotificationsServiceStub)
_users = ServiceClient("users", users_pb2_grpc.UsersServiceStub)


def messages_of(*, booking_id: UUID) -> notifications_pb2.ListBookingMessagesResponse:
    """Return the mails and documents of a booking. Raises Unavailable, DeadlineExceeded."""
    request = notifications_pb2.ListBookingMessagesRequest(booking_id=str(booking_id))
    answer: notifications_pb2.ListBookingMessagesResponse = _notifications.call(
        "ListBookingMessages", request, deadline=Deadline.after(SECONDS)
    )
    return answer


def traveller_id_of(*, email: str) -> UUID | None:
    """Return the id of the account with this address, or None. Raises Unavailable, DeadlineExceeded."""
    answer = _users.call("FindTraveller", users_pb2.FindTravellerRequest(email=email), deadline=Deadline.after(SECONDS))
    return UUID(answer.traveller_id) if answer.traveller_id else None
