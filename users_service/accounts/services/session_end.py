"""End sessions. Whatever ends a session does it here, so that every service learns of it by an event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from django.conf import settings

from contracts.travel.events.v1 import users_pb2
from users_service.accounts import events, selectors
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction
from users_service.accounts.models import Session, User
from users_service.accounts.tokens import access_lifetime

Reason: TypeAlias = "users_pb2.SessionRevokedReason.ValueType"
LOGOUT = users_pb2.SESSION_REVOKED_REASON_LOGOUT
REUSE = users_pb2.SESSION_REVOKED_REASON_REUSE_DETECTED
PASSWORD_CHANGED = users_pb2.SESSION_REVOKED_REASON_PASSWORD_CHANGED
EMAIL_CHANGED = users_pb2.SESSION_REVOKED_REASON_EMAIL_CHANGED
DISOWNED = users_pb2.SESSION_REVOKED_REASON_DISOWNED
ACCOUNT_CLOSED = users_pb2.SESSION_REVOKED_REASON_ACCOUNT_CLOSED
REVOKED = users_pb2.SESSION_REVOKED_REASON_REVOKED
TOO_MANY = users_pb2.SESSION_REVOKED_REASON_TOO_MANY

_ACTIONS: Final[Mapping[Reason, AuditAction]] = {
    LOGOUT: AuditAction.SIGNED_OUT,
    REUSE: AuditAction.REUSE_DETECTED,
    REVOKED: AuditAction.SESSION_REVOKED,
}


def end_sessions(user: User, *, reason: Reason, device: Device, now: datetime, keep: UUID | None = None) -> int:
    """End every open session of the account, except `keep`. Return how many ended.

    The caller has locked the account's row.
    """
    sessions = selectors.open_sessions_of(user.id, now=now).select_for_update().order_by("id")
    ending = [session for session in sessions if session.id != keep]
    for session in ending:
        end_session(user, session, reason=reason, device=device, now=now)
    return len(ending)


def end_session(user: User, session: Session, *, reason: Reason, device: Device, now: datetime) -> None:
    """End an open session. The caller has locked the account's row, and then the session's."""
    session.revoked_at = now
    session.save(update_fields=["revoked_at"])
    # A refresh may have made its tokens after `now`, while the caller waited for the account's lock.
    until = max(now, session.rotated_at) + access_lifetime() + settings.TOKEN_LEEWAY
    events.record(
        user,
        events.session_revoked(session, reason, access_until=until),
        action=_ACTIONS.get(reason, AuditAction.SESSION_ENDED),
        device=device,
        now=now,
    )
