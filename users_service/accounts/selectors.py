"""Reads of accounts. They return contracts, never rows."""
# ruff: noqa: S608 — the statement is put together from constants. Every value is a parameter.

from collections.abc import Collection
from datetime import date, datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from shared.errors import NotFound
from shared.pages import Key, Listing, Page, instant, long
from shared.statement import Statement
from shared.text import Locale
from users_service.accounts import devices
from users_service.accounts.contracts import (
    ProfileView,
    SecurityEvent,
    SessionView,
    StaffView,
    UserView,
)
from users_service.accounts.domain import fold
from users_service.accounts.models import Session, User


def users_by_id(*, ids: Collection[UUID]) -> list[UserView]:
    """Return the active accounts of `ids`, in that order. Skip ids without an account."""
    users = {user.id: user for user in _ACTIVE_USERS.all(ids=list(ids))}
    return [users[user_id] for user_id in ids if user_id in users]


def get_user(*, user_id: UUID) -> UserView:
    """Return the account. Raises NotFound if there is none or it is closed."""
    users = users_by_id(ids=[user_id])
    if not users:
        raise NotFound
    return users[0]


def id_by_email(*, email: str) -> UUID | None:
    """Return the id of the address's account, in any spelling, or None if it has no active account."""
    return User.objects.filter(email=fold(email), is_active=True).values_list("id", flat=True).first()


def staff_by_id(*, staff_id: UUID) -> StaffView:
    """Return the staff account, even if it is closed. Raises NotFound if it is not a staff account."""
    user = User.objects.filter(id=staff_id, is_staff=True).select_related("profile").first()
    if user is None:
        raise NotFound
    return to_staff_view(user)


def sessions(*, user_id: UUID, current: UUID | None) -> list[SessionView]:
    """Return the open sessions of the account, last used first. `current` is the session of the request."""
    return _OPEN_SESSIONS.all(user_id=user_id, now=timezone.now(), current=current)


def open_sessions_of(user_id: UUID, *, now: datetime) -> QuerySet[Session]:
    """Return the sessions of the account that have neither ended nor expired, as rows for the services."""
    return Session.objects.filter(user_id=user_id, revoked_at__isnull=True, expires_at__gt=now)


def security_events(*, user_id: UUID, first: int, after: str) -> Page[SecurityEvent]:
    """Return a page of what happened to the account, newest first. Raises Invalid (field `after`)."""
    return _SECURITY_EVENTS.page(first=first, after=after, user_id=user_id)


def to_view(user: User) -> UserView:
    """Return the account with its profile as a contract."""
    return _user(*attrgetter(*_USER_COLUMNS)(user))


def to_staff_view(user: User) -> StaffView:
    """Return the staff account as a contract for the other services' admins."""
    return StaffView(
        id=user.id,
        email=user.email,
        first_name=user.profile.first_name,
        last_name=user.profile.last_name,
        groups=tuple(sorted(user.groups.values_list("name", flat=True))),
        is_superuser=user.is_superuser,
        is_active=user.is_active,
    )


def _user(
    id: UUID, email: str, email_verified_at: datetime | None, created_at: datetime, first_name: str, last_name: str,
    phone: str, phone_verified_at: datetime | None, date_of_birth: date | None, nationality: str, locale: str,
    currency: str, time_zone: str, notify_by_email: bool, notify_by_sms: bool,
) -> UserView:  # fmt: skip
    return UserView(
        id=id,
        email=email,
        email_verified=email_verified_at is not None,
        created_at=created_at,
        profile=ProfileView(
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            phone_verified=phone_verified_at is not None,
            date_of_birth=date_of_birth,
            nationality=nationality,
            locale=Locale(locale),
            currency=currency,
            time_zone=time_zone,
            notify_by_email=notify_by_email,
            notify_by_sms=notify_by_sms,
        ),
    )


def _session(
    id: UUID, created_at: datetime, rotated_at: datetime, user_agent: str, ip_address: str, current: bool
) -> SessionView:
    device = devices.in_words(user_agent)
    return SessionView(id, created_at, rotated_at, user_agent, ip_address, device, current)


# The parameters of `_user`, in their order: attributes of an account, and columns of a SELECT.
_USER_COLUMNS: Final = (
    "id", "email", "email_verified_at", "created_at", "profile.first_name", "profile.last_name", "profile.phone",
    "profile.phone_verified_at", "profile.date_of_birth", "profile.nationality", "profile.locale", "profile.currency",
    "profile.time_zone", "profile.notify_by_email", "profile.notify_by_sms",
)  # fmt: skip
_ACTIVE_USERS: Final = Statement(
    _user,
    f"""
    SELECT {", ".join(_USER_COLUMNS)} FROM accounts_user JOIN accounts_profile profile ON profile.user_id = id
    WHERE id = ANY(%(ids)s) AND is_active""",
)
_OPEN_SESSIONS: Final = Statement(
    _session,
    """
    SELECT id, created_at, rotated_at, user_agent, coalesce(host(ip_address), ''),
        coalesce(id = %(current)s::uuid, false)
    FROM accounts_session WHERE user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(now)s
    ORDER BY rotated_at DESC, id DESC""",
)
_SECURITY_EVENTS: Final = Listing(
    SecurityEvent,
    """
    SELECT id, at, action, user_agent, coalesce(host(ip_address), '') FROM accounts_auditentry
    WHERE user_id = %(user_id)s""",
    keys=[Key("at", instant, descending=True), Key("id", long, descending=True)],
    kind="security-events",
)
