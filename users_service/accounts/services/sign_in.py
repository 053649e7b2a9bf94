"""Sign in: open a session for a device, make room for it, and tell the owner if the device is new."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from shared.db import database_now
from shared.ids import uuid7
from users_service.accounts import audit, devices, events, limits, passwords, selectors
from users_service.accounts.contracts import Device, Tokens
from users_service.accounts.domain import AuditAction, InvalidCredentials, fold
from users_service.accounts.models import LinkPurpose, Session, User
from users_service.accounts.services.earlier_use import earlier_use, is_new_device
from users_service.accounts.services.links import notify_owner
from users_service.accounts.services.session_end import TOO_MANY, end_session
from users_service.accounts.services.sessions import tokens_of


@passwords.place()
def log_in(*, email: str, password: str, device: Device) -> Tokens:
    """Open a session for the account's device.

    The account has at most SESSIONS_PER_ACCOUNT open sessions: the oldest ends. If the account was used before, but
    never on this device in this network, its owner gets a mail.

    Raises InvalidCredentials for an unknown address or a wrong password, after the same time, and RateLimited.
    """
    folded = fold(email)
    limits.before_sign_in(email=folded, ip_address=device.ip_address)
    user = User.objects.filter(email=folded).first()
    given = password[:1_000]
    is_right = passwords.matches(user, given)
    tokens = _open_session(user, given, device) if is_right and user is not None else None
    if tokens is None:
        with transaction.atomic():
            audit.note(user.id if user else None, AuditAction.SIGN_IN_REFUSED, device=device, now=database_now())
        raise InvalidCredentials
    limits.after_sign_in(email=folded, ip_address=device.ip_address)
    return tokens


def _open_session(verified: User, password: str, device: Device) -> Tokens | None:
    """Return the tokens of a new session. Return None if the account has changed since its password was verified.

    A password that was changed meanwhile must not open a session after the change has ended all of them.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().filter(id=verified.id, email=verified.email, is_active=True).first()
        if user is None:
            return None
        if user.password != verified.password and not passwords.matches(user, password):
            return None
        use = earlier_use(user, device)
        now, is_new = use.read_at, is_new_device(user, device, use)
        if use.open_sessions >= settings.SESSIONS_PER_ACCOUNT:
            _make_room(user, device=device, now=now)
        session = Session.objects.create(
            user=user,
            current_jti=uuid7(),
            rotated_at=now,
            expires_at=now + min(settings.REFRESH_TOKEN_LIFETIME, settings.SESSION_LIFETIME),
            user_agent=devices.printable(device.user_agent),
            ip_address=device.ip_address or None,
        )
        audit.note(
            user.id,
            AuditAction.SIGNED_IN_FROM_NEW_DEVICE if is_new else AuditAction.SIGNED_IN,
            device=device,
            now=now,
        )
        if is_new:
            events.publish_change(user, events.signed_in_from_new_device(session), now=now)
            notify_owner(user, LinkPurpose.NEW_DEVICE, now=now)
        return tokens_of(session, now=now)


def _make_room(user: User, *, device: Device, now: datetime) -> None:
    """End the oldest sessions, so that one more may open. The caller has locked the account's row."""
    newest_first = selectors.open_sessions_of(user.id, now=now).order_by("-created_at", "-id")
    for session in newest_first.select_for_update()[max(0, settings.SESSIONS_PER_ACCOUNT - 1) :]:
        end_session(user, session, reason=TOO_MANY, device=device, now=now)
