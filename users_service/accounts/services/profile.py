"""Change a profile: all fields of a request, or none."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from shared.db import database_now
from shared.errors import NotFound
from users_service.accounts import events, limits
from users_service.accounts.contracts import Device, UserView
from users_service.accounts.domain import AuditAction, clean_profile
from users_service.accounts.models import LinkPurpose, User
from users_service.accounts.selectors import to_view
from users_service.accounts.services.links import notify_owner
from users_service.accounts.services.phone import void_codes


def update_profile(*, user_id: UUID, changes: Mapping[str, Any], device: Device) -> UserView:
    """Change the given fields, after all of them were checked. A new phone number is unverified.

    The owner gets a mail if a phone number was added, changed or removed.

    Raises InvalidName, InvalidPhone, InvalidDate, InvalidCountry, InvalidCurrency, InvalidTimeZone, NotFound, and
    RateLimited if the phone number changes too often.
    """
    with transaction.atomic():
        now = database_now()
        cleaned = clean_profile(changes, today=now.date())
        user = User.objects.select_for_update().filter(id=user_id, is_active=True).first()
        if user is None:
            raise NotFound
        profile = user.profile
        changed = [name for name, value in cleaned.items() if getattr(profile, name) != value]
        if changed:
            for name in changed:
                setattr(profile, name, cleaned[name])
            if "phone" in changed:
                limits.before_change("phone", user_id=user_id)
                profile.phone_verified_at = None
                void_codes(user, now=now)
                notify_owner(user, LinkPurpose.PHONE_CHANGED, now=now)
            profile.save()
            events.record(
                user, events.updated(user, changed), action=AuditAction.PROFILE_UPDATED, device=device, now=now
            )
        return to_view(user)
