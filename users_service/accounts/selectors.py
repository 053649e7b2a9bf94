"""Reads of accounts. They return contracts, never rows."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from shared.errors import NotFound
from shared.pages import Key, instant, long, page
from shared.text import Locale
from users_service.accounts import devices
from users_service.accounts.contracts import (
    ProfileView,
    SecurityEvent,
    SecurityEventPage,
    SessionView,
    StaffView,
    UserView,
)
from users_service.accounts.domain import fold
from users_service.accounts.models import AuditEntry, Session, User


def users_by_id(*, ids: Collection[UUID]) -> list[UserView]:
    """Return the active accounts of `ids`, in that order. Skip ids without an account."""
    users = {user.id: user for user in User.objects.filter(id__in=ids, is_active=True).select_related("profile")}
    return [to_view(users[user_id]) for user_id in ids if user_id in users]


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
    rows = open_sessions_of(user_id, now=timezone.now()).order_by("-rotated_at", "-id")
    return [
        SessionView(
            id=row.id,
            created_at=row.created_at,
            last_used_at=row.rotated_at,
            user_agent=row.user_agent,
            ip_address=row.ip_address or "",
            device=devices.in_words(row.user_agent),
            current=row.id == current,
        )
        for row in rows
    ]


def open_sessions_of(user_id: UUID, *, now: datetime) -> QuerySet[Session]:
    """Return the sessions of the account that have neither ended nor expired, as rows for the services."""
    return Session.objects.filter(user_id=user_id, revoked_at__isnull=True, expires_at__gt=now)


def security_events(*, user_id: UUID, first: int, after: str) -> SecurityEventPage:
    """Return a page of what happened to the account, newest first. Raises Invalid (field `after`)."""
    cut = page(
        AuditEntry.objects.filter(user_id=user_id),
        keys=[Key("at", instant, descending=True), Key("id", long, descending=True)],
        first=first,
        after=after,
        kind="security-events",
    )
    events = [
        SecurityEvent(at=row.at, type=row.action, user_agent=row.user_agent, ip_address=row.ip_address or "")
        for row in cut.rows
    ]
    return SecurityEventPage(events=events, cursors=cut.cursors, has_next=cut.has_next, has_previous=cut.has_previous)


def to_view(user: User) -> UserView:
    """Return the account with its profile as a contract."""
    profile = user.profile
    return UserView(
        id=user.id,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at,
        profile=ProfileView(
            first_name=profile.first_name,
            last_name=profile.last_name,
            phone=profile.phone,
            phone_verified=profile.phone_verified_at is not None,
            date_of_birth=profile.date_of_birth,
            nationality=profile.nationality,
            locale=Locale(profile.locale),
            currency=profile.currency,
            time_zone=profile.time_zone,
            notify_by_email=profile.notify_by_email,
            notify_by_sms=profile.notify_by_sms,
        ),
    )


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
