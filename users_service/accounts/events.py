"""The events of accounts. They have only ids. The version of the account orders the events of an account."""

from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import signing_keys_pb2, users_pb2
from shared.outbox import publish
from users_service.accounts import audit
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction
from users_service.accounts.models import LinkRequest, PhoneCode, Session, User


def record(user: User, message: Message, *, action: AuditAction, device: Device, now: datetime) -> None:
    """Write the audit entry and the event of a change. The caller has locked the account's row."""
    audit.note(user.id, action, device=device, now=now)
    publish_change(user, message, now=now)


def publish_change(user: User, message: Message, *, now: datetime) -> None:
    """Write the event of a change, with the account's next version. The caller has locked the account's row."""
    user.version += 1
    user.save(update_fields=["version"])
    publish(message, aggregate_id=user.id, sequence=user.version, occurred_at=now)


def registered(user: User) -> users_pb2.UserRegistered:
    """Return the event of a new account."""
    return users_pb2.UserRegistered(user_id=str(user.id))


def verified(user: User) -> users_pb2.UserVerified:
    """Return the event of a confirmed address."""
    return users_pb2.UserVerified(user_id=str(user.id))


def updated(user: User, fields: list[str]) -> users_pb2.UserUpdated:
    """Return the event of a changed account. It has only the names of the fields."""
    return users_pb2.UserUpdated(user_id=str(user.id), changed_fields=sorted(fields))


def publish_link_requested(request: LinkRequest, *, locale: str, now: datetime) -> None:
    """Write the event that requests a mail. Its aggregate is the request, so no account has to be locked."""
    subject = request.user_id or request.registration_id
    message = users_pb2.UserLinkRequested(
        user_id=str(subject) if subject else "",
        request_id=str(request.id),
        purpose=users_pb2.LinkPurpose.Value(f"LINK_PURPOSE_{request.purpose}"),
        expires_at=_timestamp(request.expires_at),
        locale=common_pb2.Locale.Value(f"LOCALE_{locale}"),
    )
    publish(message, aggregate_id=request.id, sequence=1, occurred_at=now)


def publish_phone_code_requested(code: PhoneCode, *, now: datetime) -> None:
    """Write the event that requests an SMS with a code. Its aggregate is the request."""
    message = users_pb2.UserPhoneCodeRequested(user_id=str(code.user_id), request_id=str(code.id))
    publish(message, aggregate_id=code.id, sequence=1, occurred_at=now)


def session_revoked(
    session: Session, reason: "users_pb2.SessionRevokedReason.ValueType", *, access_until: datetime
) -> users_pb2.UserSessionRevoked:
    """Return the event of a session that ended. From `access_until` on, none of its access tokens is valid."""
    return users_pb2.UserSessionRevoked(
        user_id=str(session.user_id),
        session_id=str(session.id),
        reason=reason,
        access_until=_timestamp(access_until),
    )


def signed_in_from_new_device(session: Session) -> users_pb2.UserSignedInFromNewDevice:
    """Return the event of a sign-in with a device that the account had not used."""
    return users_pb2.UserSignedInFromNewDevice(user_id=str(session.user_id), session_id=str(session.id))


def publish_signing_keys_changed(kid: str, *, withdrawn: bool, now: datetime) -> None:
    """Write the event that makes every verifier fetch the key set. `withdrawn` says that the former keys are void."""
    message = signing_keys_pb2.SigningKeysChanged(key_id=kid, earlier_keys_withdrawn=withdrawn)
    publish(message, aggregate_id=UUID(kid), sequence=1, occurred_at=now)


def _timestamp(instant: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(instant)
    return timestamp
