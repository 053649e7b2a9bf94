"""Sign in: open a session for a device, make room for it, and tell the owner if the device is new."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from shared.db import clock_now, database_now
from shared.ids import uuid7
from users_service.accounts import audit, devices, events, limits, passwords, selectors
from users_service.accounts.contracts import Device, Tokens
from users_service.accounts.domain import AuditAction, InvalidCredentials, fold
from users_service.accounts.models import AuditEntry, LinkPurpose, Session, User
from users_service.accounts.services.links import notify_owner
from users_service.accounts.services.session_end import TOO_MANY, end_session
from users_service.accounts.services.sessions import tokens_of

SIGN_INS: Final = (AuditAction.SIGNED_IN, AuditAction.SIGNED_IN_FROM_NEW_DEVICE)
MOST_AGENTS: Final = 200  # of one network, that are compared in words


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
        now = clock_now()
        is_new = _is_new_device(user, device)
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


def _is_new_device(user: User, device: Device) -> bool:
    """Return whether the account was used before, but never with this device, in words, in its network.

    Sessions that have ended count, until they are purged. The very first sign-in of an account is no news.
    """
    earlier = Session.objects.filter(user=user)
    if not earlier.exists():
        return AuditEntry.objects.filter(user_id=user.id, action__in=SIGN_INS).exists()
    network = devices.network_of(device.ip_address)
    there = (
        earlier.filter(ip_address__range=(str(network[0]), str(network[-1])))
        if network
        else earlier.filter(ip_address__isnull=True)
    )
    agent = devices.printable(device.user_agent)
    if there.filter(user_agent=agent).exists():
        return False
    words = devices.in_words(agent)
    agents = there.values_list("user_agent", flat=True).order_by("user_agent").distinct()[:MOST_AGENTS]
    return all(devices.in_words(used) != words for used in agents)
