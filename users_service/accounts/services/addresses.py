"""Decide whose an address is, one transaction at a time."""

from datetime import datetime

from django.db.models import Exists

from shared.db import advisory_xact_lock
from users_service.accounts.domain import TokenInvalid
from users_service.accounts.models import PendingRegistration, User


def lock_address(address: str) -> None:
    """Wait until no other transaction gives the address to an account. Take it before any row is locked."""
    advisory_xact_lock("registration", address)


def give_address(user: User, address: str, *, now: datetime) -> None:
    """Give the confirmed address to the account, and delete the pending registrations of the address.

    The caller has locked the address and the account. Raises TokenInvalid if another account has the address. The
    condition is part of the UPDATE, because PostgreSQL would write the row of a violated constraint to its log.
    """
    others = User.objects.filter(email=address).exclude(id=user.id)
    if not User.objects.filter(~Exists(others), id=user.id).update(email=address, email_verified_at=now):
        raise TokenInvalid
    user.email, user.email_verified_at = address, now
    PendingRegistration.objects.filter(email=address).delete()
