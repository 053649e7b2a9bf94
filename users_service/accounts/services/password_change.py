"""Change a password. Every other session ends, and the owner gets a mail with which they can disown the change."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from shared.db import database_now
from users_service.accounts import audit, limits, passwords
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction, check_password_strength
from users_service.accounts.models import LinkPurpose, User
from users_service.accounts.services.links import notify_owner, void_links
from users_service.accounts.services.owner import get_account, lock_owner, prove_owner
from users_service.accounts.services.session_end import PASSWORD_CHANGED, end_sessions


@passwords.place()
def change_password(
    *,
    user_id: UUID,
    session_id: UUID | None,
    current_password: str,
    new_password: str,
    authenticated_at: int,
    device: Device,
) -> None:
    """Change the password, and end every session except `session_id`. Without a session, as in the admin, all end.

    `current_password` may be empty if the sign-in (`authenticated_at`, seconds since the epoch) is recent.

    Raises WeakPassword, InvalidCredentials, RateLimited, Unauthenticated if the session has ended, NotFound.
    """
    refused = AuditAction.PASSWORD_CHANGE_REFUSED
    user = get_account(user_id=user_id)
    check_new_password(new_password, user=user)
    prove_owner(user, password=current_password, authenticated_at=authenticated_at, refused=refused, device=device)
    limits.before_change("password", user_id=user_id)
    hashed = passwords.hashed(new_password)
    with audit.refusals(user_id, refused, device=device), transaction.atomic():
        now = database_now()
        locked = lock_owner(user, session_id=session_id)
        store_password(locked, hashed, device=device, now=now, keep=session_id)
        audit.note(user_id, AuditAction.PASSWORD_CHANGED, device=device, now=now)


def check_new_password(password: str, *, user: User) -> None:
    """Raise WeakPassword if the account may not have this password."""
    names = (user.profile.first_name, user.profile.last_name)
    check_password_strength(password, email=user.email, names=names, common=passwords.common_passwords())


def store_password(user: User, hashed: str, *, device: Device, now: datetime, keep: UUID | None = None) -> None:
    """Store the hash, end every session except `keep`, void the open links, and tell the owner.

    The caller has locked the account.
    """
    user.password = hashed
    user.save(update_fields=["password"])
    end_sessions(user, reason=PASSWORD_CHANGED, device=device, now=now, keep=keep)
    void_links(user, now=now)
    notify_owner(user, LinkPurpose.PASSWORD_CHANGED, now=now)
