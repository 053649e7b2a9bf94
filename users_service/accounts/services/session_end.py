"""End sessions. Whatever ends a session does it here, so that every service learns of it by an event."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from contracts.travel.events.v1 import users_pb2
from users_service.accounts import events
from users_service.accounts.contracts import Device
from users_service.accounts.models import Session, User
from users_service.accounts.tokens import access_lifetime

Reason = "users_pb2.SessionRevokedReason.ValueType"
LOGOUT = users_pb2.SESSION_REVOKED_REASON_LOGOUT
REUSE = users_pb2.SESSION_REVOKED_REASON_REUSE_DETECTED
PASSWORD_CHANGED = users_pb2.SESSION_REVOKED_REASON_PASSWORD_CHANGED
EMAIL_CHANGED = users_pb2.SESSION_REVOKED_REASON_EMAIL_CHANGED
DISOWNED = users_pb2.SESSION_REVOKED_REASON_DISOWNED
ACCOUNT_CLOSED = users_pb2.SESSION_REVOKED_REASON_ACCOUNT_CLOSED


def end_sessions(user: User, *, reason: Reason, device: Device, now: datetime, keep: UUID | None = None) -> int:
    """End every open session of the account, except `keep`. Return how many ended.

    The caller has locked the account's row.
    """
    sessions = Session.objects.select_for_update().filter(user=user, revoked_at__isnull=True).order_by("id")
    ending = [session for session in sessions if session.id != keep]
    for session in ending:
        end_session(user, session, reason=reason, device=device, now=now)
    return len(ending)


def end_session(user: User, session: Session, *, reason: Reason, device: Device, now: datetime) -> None:
    """End an open session. The caller has locked the account's row, and then the session's."""
    session.revoked_at = now
    session.save(update_fields=["revoked_at"])
    until = now + access_lifetime() + settings.TOKEN_LEEWAY
    events.record(
        user,
        events.session_revoked(session, reason, access_until=until),
        action="session_ended",
        device=device,
        now=now,
    )
