"""Sign in, refresh, sign out. A session is a family of refresh tokens, of which only the newest is valid.

A session ends REFRESH_TOKEN_LIFETIME after its last use, and at the latest SESSION_LIFETIME after its sign-in.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from shared.db import database_now
from shared.ids import uuid7
from users_service.accounts import audit, limits, passwords
from users_service.accounts.contracts import Device, Tokens
from users_service.accounts.domain import AuditAction, InvalidCredentials, TokenInvalid, fold
from users_service.accounts.models import LinkPurpose, Session, User
from users_service.accounts.refresh_tokens import make_refresh_token, read_refresh_token
from users_service.accounts.services.links import notify_owner
from users_service.accounts.services.session_end import LOGOUT, REUSE, end_session, end_sessions
from users_service.accounts.tokens import AccessToken, access_lifetime


@passwords.place()
def log_in(*, email: str, password: str, device: Device) -> Tokens:
    """Open a session for the account's device.

    Raises InvalidCredentials for an unknown address or a wrong password, after the same time, and RateLimited.
    """
    folded = fold(email)
    limits.before_sign_in(email=folded, ip_address=device.ip_address)
    user = User.objects.filter(email=folded).first()
    if not passwords.matches(user, password[:1_000]) or user is None:
        with transaction.atomic():
            audit.note(user.id if user else None, AuditAction.SIGN_IN_REFUSED, device=device, now=database_now())
        raise InvalidCredentials
    limits.after_sign_in(email=folded, ip_address=device.ip_address)
    with transaction.atomic():
        now = database_now()
        # A password that was changed while it was verified must not open a session after all of them were ended.
        if not User.objects.select_for_update().filter(id=user.id, password=user.password, is_active=True).first():
            raise InvalidCredentials
        session = Session.objects.create(
            user=user,
            current_jti=uuid7(),
            rotated_at=now,
            expires_at=now + min(settings.REFRESH_TOKEN_LIFETIME, settings.SESSION_LIFETIME),
            user_agent=audit.printable(device.user_agent),
            ip_address=device.ip_address or None,
        )
        audit.note(user.id, AuditAction.SIGNED_IN, device=device, now=now)
    return _tokens(session, now=now)


def refresh(*, refresh_token: str, device: Device) -> Tokens:
    """Return the session's next pair. For REFRESH_GRACE (10 s), the previous token gives the identical next pair.

    If it is used later, it was stolen: the session ends and its owner gets a mail. Raises TokenInvalid.
    """
    claims = read_refresh_token(refresh_token)
    if claims is None:
        raise TokenInvalid
    session_id, jti = claims
    with transaction.atomic():
        now = database_now()
        owner = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
        if owner is None:
            raise TokenInvalid
        user = User.objects.select_for_update().filter(id=owner, is_active=True).first()
        session = Session.objects.select_for_update().filter(id=session_id).first()
        if user is None or session is None or session.revoked_at is not None or session.expires_at <= now:
            raise TokenInvalid
        if jti == session.current_jti:
            session.previous_jti, session.current_jti, session.rotated_at = jti, uuid7(), now
            session.expires_at = min(
                now + settings.REFRESH_TOKEN_LIFETIME, session.created_at + settings.SESSION_LIFETIME
            )
            session.save(update_fields=["previous_jti", "current_jti", "rotated_at", "expires_at"])
            return _tokens(session, now=now)
        if jti == session.previous_jti and now <= session.rotated_at + settings.REFRESH_GRACE:
            return _tokens(session, now=session.rotated_at)
        end_session(user, session, reason=REUSE, device=device, now=now)
        notify_owner(user, LinkPurpose.REUSE_DETECTED, now=now)
    raise TokenInvalid


def log_out(
    *, user_id: UUID | None, session_id: UUID | None, refresh_token: str, everywhere: bool, device: Device
) -> None:
    """End the session of the refresh token, or, without one, of the access token. With `everywhere`, end all sessions.

    A repeated call succeeds and changes nothing. Raises TokenInvalid if no token names a session.
    """
    if refresh_token:
        claims = read_refresh_token(refresh_token)
        if claims is None:
            raise TokenInvalid
        session_id = claims[0]
        user_id = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
    if user_id is None or session_id is None:
        raise TokenInvalid
    with transaction.atomic():
        now = database_now()
        user = User.objects.select_for_update().filter(id=user_id).first()
        if user is None:
            raise TokenInvalid
        if everywhere:
            end_sessions(user, reason=LOGOUT, device=device, now=now)
            return
        session = Session.objects.select_for_update().filter(id=session_id, user=user, revoked_at=None).first()
        if session is not None:
            end_session(user, session, reason=LOGOUT, device=device, now=now)


def _tokens(session: Session, *, now: datetime) -> Tokens:
    """Return the pair of `session` at `now`. The same row and `now` give the same pair."""
    lifetime = access_lifetime()
    user = session.user
    roles = (
        [*user.groups.values_list("name", flat=True), *(["admin"] if user.is_superuser else [])]
        if user.is_staff
        else []
    )
    return Tokens(
        access_token=AccessToken.of(
            session, at=now, jti=session.current_jti, expires_at=now + lifetime, roles=sorted(roles)
        ),
        refresh_token=make_refresh_token(session_id=session.id, jti=session.current_jti),
        expires_in=int(lifetime.total_seconds()),
        refresh_expires_at=session.expires_at,
    )
