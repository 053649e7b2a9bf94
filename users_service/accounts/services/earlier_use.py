"""How an account was used before a sign-in: with which devices, from which networks, with how many open sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from users_service.accounts import devices
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction
from users_service.accounts.models import AuditEntry, Session, User

SIGN_INS: Final = (AuditAction.SIGNED_IN, AuditAction.SIGNED_IN_FROM_NEW_DEVICE)
MOST_AGENTS: Final = 200  # of one network, that are compared in words

# One statement for every sign-in. Four of the ORM, which say the same, cost three times its CPU.
_EARLIER_USE: Final = """
    SELECT clock_timestamp(),
           count(*) FILTER (WHERE revoked_at IS NULL AND expires_at > clock_timestamp()),
           count(*) > 0,
           coalesce(bool_or(
               user_agent = %(agent)s
               AND CASE WHEN %(network)s::cidr IS NULL THEN ip_address IS NULL ELSE ip_address <<= %(network)s END
           ), false)
      FROM accounts_session
     WHERE user_id = %(user_id)s
"""


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """The sessions of an account, also those that have ended, until they are purged.

    `with_device` says whether one of them has exactly this user agent, and an address of the same network.
    """

    read_at: datetime
    open_sessions: int
    any_session: bool
    with_device: bool


def earlier_use(user: User, device: Device) -> EarlierUse:
    """Return how the account was used. `read_at` is the database's time at this moment, after the wait for locks.

    The caller has locked the account's row.
    """
    network = devices.network_of(device.ip_address)
    given = {
        "user_id": str(user.id),
        "agent": devices.printable(device.user_agent),
        "network": str(network) if network else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER_USE, given)
        return EarlierUse(*cursor.fetchone())


def is_new_device(user: User, device: Device, use: EarlierUse) -> bool:
    """Return whether the account was used before, but never with this device, in words, in its network.

    The very first sign-in of an account is no news.
    """
    if use.with_device:
        return False
    if not use.any_session:
        return AuditEntry.objects.filter(user_id=user.id, action__in=SIGN_INS).exists()
    network = devices.network_of(device.ip_address)
    earlier = Session.objects.filter(user=user)
    there = (
        earlier.filter(ip_address__range=(str(network[0]), str(network[-1])))
        if network
        else earlier.filter(ip_address__isnull=True)
    )
    words = devices.in_words(devices.printable(device.user_agent))
    agents = there.values_list("user_agent", flat=True).order_by("user_agent").distinct()[:MOST_AGENTS]
    return all(devices.in_words(used) != words for used in agents)
