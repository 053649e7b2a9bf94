"""Refresh, sign out, end one session. A session is a family of refresh tokens, of which only the newest is valid.

A session ends REFRESH_TOKEN_LIFETIME after its last use, and at the latest SESSION_LIFETIME after its sign-in.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from shared.db import clock_now
from shared.errors import NotFound
from shared.ids import uuid7
from users_service.accounts import selectors
from users_service.accounts.contracts import Device, Tokens
from users_service.accounts.domain import TokenInvalid
from users_service.accounts.models import LinkPurpose, Session, User
from users_service.accounts.refresh_tokens import make_refresh_token, read_refresh_token
from users_service.accounts.services.links import notify_owner
from users_service.accounts.services.session_end import LOGOUT, REUSE, REVOKED, Reason, end_session, end_sessions
from users_service.accounts.tokens import AccessToken, access_lifetime


def refresh(*, refresh_token: str, device: Device) -> Tokens:
    """Return the session's next pair. For REFRESH_GRACE (10 s), the previous token gives the identical next pair.

    If it is used later, it was stolen: the session ends and its owner gets a mail. Raises TokenInvalid.
    """
    claims = read_refresh_token(refresh_token)
    if claims is None:
        raise TokenInvalid
    session_id, jti = claims
    with transaction.atomic():
        owner = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
        if owner is None:
            raise TokenInvalid
        user = User.objects.select_for_update().filter(id=owner, is_active=True).first()
        session = Session.objects.select_for_update().filter(id=session_id).first()
        now = clock_now()  # the wait for the locks must not shorten the grace
        if user is None or session is None or session.revoked_at is not None or session.expires_at <= now:
            raise TokenInvalid
        if jti == session.current_jti:
            session.previous_jti, session.current_jti, session.rotated_at = jti, uuid7(), now
            session.expires_at = min(
                now + settings.REFRESH_TOKEN_LIFETIME, session.created_at + settings.SESSION_LIFETIME
            )
            session.save(update_fields=["previous_jti", "current_jti", "rotated_at", "expires_at"])
            return tokens_of(session, now=now)
        if _is_in_grace(session, jti, now=now):
            return tokens_of(session, now=session.rotated_at)
        end_session(user, session, reason=REUSE, device=device, now=now)
        notify_owner(user, LinkPurpose.REUSE_DETECTED, now=now)
    raise TokenInvalid


def log_out(
    *, user_id: UUID | None, session_id: UUID | None, refresh_token: str, everywhere: bool, device: Device
) -> None:
    """End the session of the refresh token, or, without one, of the access token.

    With `everywhere`, end all sessions, and mail the owner. A repeated call succeeds and does nothing.

    Raises TokenInvalid if no token names a session. Also for `everywhere` if other sessions are open, but this one has
    ended or the refresh token was replaced: whoever was signed out must not sign the owner out for months.
    """
    jti = None
    if refresh_token:
        claims = read_refresh_token(refresh_token)
        if claims is None:
            raise TokenInvalid
        session_id, jti = claims
        user_id = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
    if user_id is None or session_id is None:
        raise TokenInvalid
    with transaction.atomic():
        user = User.objects.select_for_update().filter(id=user_id).first()
        if user is None:
            raise TokenInvalid
        now = clock_now()
        if not everywhere:
            _end_one(user, session_id, reason=LOGOUT, device=device, now=now)
        elif not selectors.open_sessions_of(user.id, now=now).exists():
            return
        elif not _speaks_for_owner(user, session_id, jti, now=now):
            raise TokenInvalid
        else:
            end_sessions(user, reason=LOGOUT, device=device, now=now)
            notify_owner(user, LinkPurpose.SESSIONS_ENDED, now=now)


def _speaks_for_owner(user: User, session_id: UUID, jti: UUID | None, *, now: datetime) -> bool:
    """Return whether the session is open, and `jti` is that of its newest refresh token if there is one."""
    session = selectors.open_sessions_of(user.id, now=now).select_for_update().filter(id=session_id).first()
    if session is None:
        return False
    return jti is None or jti == session.current_jti or _is_in_grace(session, jti, now=now)


def _is_in_grace(session: Session, jti: UUID, *, now: datetime) -> bool:
    """Return whether `jti` is that of the previous refresh token, which was replaced a moment ago."""
    return jti == session.previous_jti and now <= session.rotated_at + settings.REFRESH_GRACE


def revoke_session(*, user_id: UUID, session_id: UUID, device: Device) -> None:
    """End one open session of the account. It may be the session of the request.

    Raises NotFound if the account has no such open session.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().filter(id=user_id, is_active=True).first()
        now = clock_now()
        if user is None or not _end_one(user, session_id, reason=REVOKED, device=device, now=now):
            raise NotFound


def _end_one(user: User, session_id: UUID, *, reason: Reason, device: Device, now: datetime) -> bool:
    """End the session if it is an open one of the account, whose row is locked. Return whether it was."""
    session = selectors.open_sessions_of(user.id, now=now).select_for_update().filter(id=session_id).first()
    if session is None:
        return False
    end_session(user, session, reason=reason, device=device, now=now)
    return True


def tokens_of(session: Session, *, now: datetime) -> Tokens:
    """Return the pair of the session at `now`. The same row and `now` give the same pair."""
    lifetime = min(access_lifetime(), session.expires_at - now)  # no token outlives its session
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
