"""Mailed links: request one, mint it while its mail is written, use it once."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from shared.db import database_now
from users_service.accounts import events, limits
from users_service.accounts.contracts import Link
from users_service.accounts.domain import LinkNotWanted, TokenInvalid, clean_email
from users_service.accounts.models import LinkPurpose, LinkRequest, User


def request_link(user: User, purpose: LinkPurpose, *, now: datetime) -> None:
    """Request a mail with a link. The caller has opened a transaction and locked the account's row."""
    request = LinkRequest.objects.create(
        user=user, purpose=purpose, expires_at=now + settings.VERIFICATION_LINK_LIFETIME
    )
    events.record(user, events.link_requested(request, user.profile), action=f"link_requested:{purpose}", now=now)


def resend_verification(*, email: str, ip_address: str) -> None:
    """Request another verification mail if the account exists and needs it. Otherwise do nothing, without saying so.

    Raises InvalidEmail, RateLimited.
    """
    folded = clean_email(email)
    limits.before_mail(email=folded, ip_address=ip_address)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email=folded, is_active=True).first()
        if user is not None and user.email_verified_at is None:
            request_link(user, LinkPurpose.VERIFY_EMAIL, now=database_now())


def mint_link(*, request_id: UUID) -> Link:
    """Return the link of a request with a new token. Only its hash is stored; an earlier token of the request is void.

    Raises LinkNotWanted if the request does not exist, has expired, or its link was used.
    """
    with transaction.atomic():
        now = database_now()
        request = LinkRequest.objects.select_for_update().filter(id=request_id).first()
        if request is None or request.used_at is not None or request.expires_at <= now:
            raise LinkNotWanted
        if request.purpose == LinkPurpose.ALREADY_REGISTERED:
            return Link(url=f"{settings.PUBLIC_URL}/", expires_at=request.expires_at)
        token = secrets.token_urlsafe(32)
        request.token_hash = _hash(token)
        request.save(update_fields=["token_hash"])
        return Link(url=f"{settings.PUBLIC_URL}/verify-email?token={token}", expires_at=request.expires_at)


def verify_email(*, token: str) -> None:
    """Mark the address of the link's account as verified. A link works once. Raises TokenInvalid."""
    with transaction.atomic():
        now = database_now()
        candidate = LinkRequest.objects.filter(token_hash=_hash(token[:200]), purpose=LinkPurpose.VERIFY_EMAIL).first()
        if candidate is None:
            raise TokenInvalid
        user = User.objects.select_for_update().get(id=candidate.user_id)
        request = LinkRequest.objects.select_for_update().get(id=candidate.id)
        if request.used_at is not None or request.expires_at <= now:
            raise TokenInvalid
        request.used_at = now
        request.save(update_fields=["used_at"])
        if user.email_verified_at is None:
            user.email_verified_at = now
            user.save(update_fields=["email_verified_at"])
            events.record(user, events.verified(user), action="verified", now=now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
