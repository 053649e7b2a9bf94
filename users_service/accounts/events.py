"""The events of accounts. They have only ids. The version of the account orders them."""

from datetime import datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import users_pb2
from shared.outbox import publish
from shared.telemetry import current_request_id
from users_service.accounts.models import AuditEntry, LinkRequest, Profile, Session, User


def record(user: User, message: Message, *, action: str, now: datetime) -> None:
    """Write the audit entry and the event of a change. The caller has locked the account's row."""
    user.version += 1
    user.save(update_fields=["version"])
    AuditEntry.objects.create(user=user, action=action, at=now, request_id=current_request_id())
    publish(message, aggregate_id=user.id, sequence=user.version, occurred_at=now)


def registered(user: User) -> users_pb2.UserRegistered:
    """Return the event of a new account."""
    return users_pb2.UserRegistered(user_id=str(user.id))


def verified(user: User) -> users_pb2.UserVerified:
    """Return the event of a verified address."""
    return users_pb2.UserVerified(user_id=str(user.id))


def updated(user: User, fields: list[str]) -> users_pb2.UserUpdated:
    """Return the event of a changed profile. It has only the names of the fields."""
    return users_pb2.UserUpdated(user_id=str(user.id), changed_fields=sorted(fields))


def link_requested(request: LinkRequest, profile: Profile) -> users_pb2.UserLinkRequested:
    """Return the event that requests a mail with a link."""
    expires_at = Timestamp()
    expires_at.FromDatetime(request.expires_at)
    return users_pb2.UserLinkRequested(
        user_id=str(request.user_id),
        request_id=str(request.id),
        purpose=users_pb2.LinkPurpose.Value(f"LINK_PURPOSE_{request.purpose}"),
        expires_at=expires_at,
        locale=common_pb2.Locale.Value(f"LOCALE_{profile.locale}"),
    )


def session_revoked(
    session: Session, reason: "users_pb2.SessionRevokedReason.ValueType"
) -> users_pb2.UserSessionRevoked:
    """Return the event of a session that ended."""
    return users_pb2.UserSessionRevoked(user_id=str(session.user_id), session_id=str(session.id), reason=reason)
