"""The audit log: what was done to an account, and what was refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from shared.db import database_now
from shared.telemetry import current_request_id
from users_service.accounts import devices, limits
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction, InvalidCredentials, TokenInvalid
from users_service.accounts.models import AuditEntry


def note(user_id: UUID | None, action: AuditAction, *, device: Device, now: datetime) -> None:
    """Write an entry. `user_id` is None if the address of a refused sign-in has no account."""
    AuditEntry.objects.create(
        user_id=user_id,
        action=action,
        at=now,
        request_id=current_request_id(),
        ip_address=device.ip_address or None,
        user_agent=devices.printable(device.user_agent),
    )


@contextmanager
def refusals(user_id: UUID, action: AuditAction, *, device: Device) -> Iterator[None]:
    """Write an entry if the body refuses a password or a token. The refusal goes on to the caller.

    Put it around the transaction, not inside: what a transaction has written is lost when it is refused. Raises
    RateLimited, and runs no body, after too many refusals.
    """
    limits.before_refusable(user_id=user_id, action=action, ip_address=device.ip_address)
    try:
        yield
    except (InvalidCredentials, TokenInvalid):
        limits.count_refusal(user_id=user_id, action=action, ip_address=device.ip_address)
        with transaction.atomic():
            note(user_id, action, device=device, now=database_now())
        raise
