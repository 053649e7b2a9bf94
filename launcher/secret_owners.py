"""Which services get which secret. A variable that looks like a secret and has no owner reaches no process.

An owner is one of the five services, or a process of the infrastructure by its name.
"""

import re
from collections.abc import Mapping
from typing import Final

from launcher.processes import SERVICES, WITH_DATABASE

_EVERY: Final = frozenset(SERVICES)
_USERS: Final = frozenset({"users"})
_BOOKINGS: Final = frozenset({"bookings"})
_NOTIFICATIONS: Final = frozenset({"notifications"})

OWNERS: Final[Mapping[str, frozenset[str]]] = {
    # Each service has a value of its own.
    "SECRET_KEY": _EVERY,
    "SECRET_KEY_FALLBACKS": _EVERY,
    "SERVICE_PRIVATE_KEY": _EVERY,
    **{f"{name.upper()}_DATABASE_URL": frozenset({name}) for name in WITH_DATABASE},
    # One value: who has it is the whole of those who use it.
    "REDIS_URL": _EVERY,
    "KAFKA_SASL_PASSWORD": _EVERY,
    "EMAIL_URL": _NOTIFICATIONS,
    "ADMIN_PASSWORD": _USERS,
    "DEMO_PASSWORD": _USERS,
    "SIGNING_KEYS_SECRET": _USERS,
    "SIGNING_KEYS_SECRET_FALLBACKS": _USERS,
    "REFRESH_TOKEN_SECRET": _USERS,
    "REFRESH_TOKEN_SECRET_FALLBACKS": _USERS,
    "DOCUMENT_LINK_SECRET": _NOTIFICATIONS,
    "DOCUMENT_LINK_SECRET_FALLBACKS": _NOTIFICATIONS,
    "PAYMENT_WEBHOOK_SECRET": frozenset({"bookings", "sandbox"}),
    "PAYMENT_WEBHOOK_SECRET_FALLBACKS": _BOOKINGS,
    "STRIPE_API_KEY": _BOOKINGS,
    "STRIPE_WEBHOOK_SECRET": _BOOKINGS,
}
# Keys that everybody may know.
PUBLIC: Final = frozenset({"SERVICE_PUBLIC_KEYS"})
_SECRET: Final = re.compile(
    r"(?:SECRET|SECRETS|PASSWORD|PASSWD|TOKEN|KEY|KEYS|CREDENTIAL|CREDENTIALS|DSN|FALLBACKS|DATABASE_URL)$"
    r"|^(?:REDIS|EMAIL)_URL$",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Return whether a variable of this name holds a secret, as far as its name tells."""
    return name not in PUBLIC and bool(name in OWNERS or _SECRET.search(name))


def without_foreign_secrets(environment: Mapping[str, str], *, owner: str) -> dict[str, str]:
    """Return `environment` without the secrets that `owner` does not own."""
    return {
        name: value
        for name, value in environment.items()
        if not looks_secret(name) or owner in OWNERS.get(name, frozenset())
    }
