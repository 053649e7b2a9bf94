"""Who may call the service's methods, and the threads of the methods that hash."""

from typing import Final

from shared.errors import RateLimited
from shared.rpc import Workers
from users_service.accounts import passwords

GATEWAY: Final = frozenset({"gateway"})
BOOKINGS: Final = frozenset({"bookings"})
NOTIFICATIONS: Final = frozenset({"notifications"})
ADMINS: Final = frozenset({"destinations", "bookings", "notifications"})
# Methods that hash a password wait in threads of their own, so that a flood of sign-ins leaves the others theirs.
HASHING: Final = Workers(passwords.most_at_once(), waiting=0, when_full=RateLimited)
