"""Who may call the service's methods, and the threads of the methods that hash."""

from typing import Any, Final

from django.conf import settings
from google.protobuf.message import Message

from shared.errors import RateLimited
from shared.http.addresses import network_of
from shared.rpc import Workers
from users_service.accounts import passwords

GATEWAY: Final = frozenset({"gateway"})
BOOKINGS: Final = frozenset({"bookings"})
NOTIFICATIONS: Final = frozenset({"notifications"})
ADMINS: Final = frozenset({"destinations", "bookings", "notifications"})


def _network(request: object) -> str:
    """Return the network of the person that a request of the gateway, or of an admin, is made for.

    Return an empty text for a request that is not valid protobuf: the method's guard refuses it.
    """
    if not isinstance(request, Message):
        return ""
    message: Any = request
    described = message if "ip_address" in message.DESCRIPTOR.fields_by_name else message.device
    return network_of(described.ip_address)


# Methods that hash a password have threads of their own, so that a flood of sign-ins leaves the others theirs. A short
# queue before the threads lets many people sign in at the same moment; it needs neither a thread nor a connection. A
# network has half of the places: even refused sign-ins, without a pause, kept everybody else out.
HASHING: Final = Workers(
    passwords.most_at_once(), waiting=settings.SIGN_INS_WAITING, when_full=RateLimited, owner_of=_network
)
