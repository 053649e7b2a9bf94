"""Mailed links: request one, mint it while its mail is written, describe it, use it once.

Of several links of one purpose, only the newest works. A link that tells of a change and disowns it works beside
others of its kind, because each tells of another change.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from shared.db import database_now
from shared.text import Locale
from users_service.accounts import audit, events
from users_service.accounts.contracts import Device, Link, LinkDescription, LinkUse, Recipient
from users_service.accounts.domain import AuditAction, LinkNotWanted, TokenInvalid
from users_service.accounts.models import LinkPurpose, LinkRequest, PendingRegistration, User

# The page of the gateway that uses the link of each purpose. The others are mailed without a secret link.
USES: Final[Mapping[str, LinkUse]] = {
    LinkPurpose.VERIFY_EMAIL: LinkUse.VERIFY_EMAIL,
    LinkPurpose.RESET_PASSWORD: LinkUse.RESET_PASSWORD,
    LinkPurpose.CONFIRM_EMAIL_CHANGE: LinkUse.CONFIRM_EMAIL_CHANGE,
    LinkPurpose.EMAIL_CHANGED: LinkUse.UNDO_EMAIL_CHANGE,
    LinkPurpose.EMAIL_CHANGE_REQUESTED: LinkUse.DISOWN_CHANGE,
    LinkPurpose.PASSWORD_CHANGED: LinkUse.DISOWN_CHANGE,
    LinkPurpose.PHONE_CHANGED: LinkUse.DISOWN_CHANGE,
    LinkPurpose.NEW_DEVICE: LinkUse.DISOWN_CHANGE,
    LinkPurpose.REUSE_DETECTED: LinkUse.DISOWN_CHANGE,
    LinkPurpose.SESSIONS_ENDED: LinkUse.DISOWN_CHANGE,
}
ONLY_NEWEST: Final = frozenset({LinkUse.VERIFY_EMAIL, LinkUse.RESET_PASSWORD, LinkUse.CONFIRM_EMAIL_CHANGE})
# These links work only while the account has the address that the mail went to.
TO_PRESENT_ADDRESS: Final = frozenset({LinkUse.RESET_PASSWORD, LinkUse.DISOWN_CHANGE})


def request_link(
    *,
    purpose: LinkPurpose,
    recipient: str,
    locale: str,
    now: datetime,
    user: User | None = None,
    registration: PendingRegistration | None = None,
) -> None:
    """Request a mail of `purpose` to `recipient`. The caller has opened a transaction; no lock is needed."""
    request = LinkRequest.objects.create(
        user=user,
        registration=registration,
        purpose=purpose,
        recipient=recipient,
        expires_at=now + settings.LINK_LIFETIMES[purpose],
    )
    events.publish_link_requested(request, locale=locale, now=now)


def notify_owner(user: User, purpose: LinkPurpose, *, now: datetime, recipient: str = "") -> None:
    """Request the mail that tells the account's owner of a change: at `recipient`, or else at the account's address."""
    request_link(purpose=purpose, user=user, recipient=recipient or user.email, locale=user.profile.locale, now=now)


def mint_link(*, request_id: UUID) -> Link:
    """Return the link of a request with a new token. Only its hash is stored; an earlier token of the request is void.

    Raises LinkNotWanted if the request does not exist, has expired, its link was used, or there is a newer one.
    """
    with transaction.atomic():
        now = database_now()
        request = LinkRequest.objects.select_for_update().filter(id=request_id).first()
        if request is None or not _is_open(request, now):
            raise LinkNotWanted
        recipient = _recipient(request)
        use = USES.get(request.purpose)
        if use is None:
            return Link(url="", expires_at=request.expires_at, recipient=recipient)
        token = secrets.token_urlsafe(32)
        request.token_hash = hash_of(token)
        request.save(update_fields=["token_hash"])
        url = f"{settings.PUBLIC_URL}/{use.value}?token={token}"
        return Link(url=url, expires_at=request.expires_at, recipient=recipient)


def describe_link(*, token: str) -> LinkDescription:
    """Return what the link is for. Nothing changes. Raises TokenInvalid for a link that cannot be used any more."""
    request = LinkRequest.objects.filter(token_hash=hash_of(token)).first()
    if request is None or not _is_usable(request, database_now()):
        raise TokenInvalid
    try:
        recipient = _recipient(request)
    except LinkNotWanted:
        raise TokenInvalid from None
    return LinkDescription(
        use=USES[request.purpose],
        email=request.recipient,
        first_name=recipient.first_name if request.registration_id else "",
        requested_at=request.created_at,
        expires_at=request.expires_at,
        locale=recipient.locale,
    )


@dataclass(frozen=True, slots=True)
class AccountLink:
    """The link of an account, by its token. `owner` is the account as it was before it is locked."""

    request: LinkRequest
    owner: User
    token: str = field(repr=False)


def link_of_account(*, token: str, use: LinkUse, device: Device) -> AccountLink:
    """Return the link of an account, if it can be used now. Nothing is locked, and nothing changes.

    Raises TokenInvalid. The refusal of a link that an account once had is in the audit log.
    """
    request = LinkRequest.objects.filter(token_hash=hash_of(token)).select_related("user__profile").first()
    if request is None or request.user is None:
        raise TokenInvalid
    with audit.refusals(request.user.id, AuditAction.LINK_REFUSED, device=device):
        if USES.get(request.purpose) is not use or not _is_usable(request, database_now()):
            raise TokenInvalid
    return AccountLink(request=request, owner=request.user, token=token)


def use_account_link(link: AccountLink, *, now: datetime) -> User:
    """Lock the account, mark its link as used, and return the account. A link works once.

    Raises TokenInvalid, also if the account was closed.
    """
    user = User.objects.select_for_update().filter(id=link.owner.id, is_active=True).first()
    if user is None:
        raise TokenInvalid
    use_link(token=link.token, use=USES[link.request.purpose], now=now)
    return user


def use_link(*, token: str, use: LinkUse, now: datetime) -> LinkRequest:
    """Mark the link as used, and return its request. A link works once. Raises TokenInvalid.

    The caller has locked the account or the registration of the link.
    """
    request = LinkRequest.objects.select_for_update().filter(token_hash=hash_of(token)).first()
    if request is None or USES.get(request.purpose) is not use or not _is_usable(request, now):
        raise TokenInvalid
    request.used_at = now
    request.save(update_fields=["used_at"])
    return request


def void_links(user: User, *, now: datetime, undo: LinkRequest | None = None) -> None:
    """Make every open link of the account useless, except those that give an earlier address back.

    Whoever takes an account over must not be able to void the link of the owner's address. So only the use of such a
    link (`undo`) voids others of its kind: those of later changes.
    """
    kept = Q(purpose=LinkPurpose.EMAIL_CHANGED)
    if undo is not None:
        kept &= Q(id__lt=undo.id)
    LinkRequest.objects.filter(user=user, used_at__isnull=True).exclude(kept).update(used_at=now)


def _is_usable(request: LinkRequest, now: datetime) -> bool:
    """Return whether the link is open and its mail went to the account's present address, if its use needs that."""
    if not _is_open(request, now):
        return False
    return USES.get(request.purpose) not in TO_PRESENT_ADDRESS or (
        request.user is not None and request.user.email == request.recipient
    )


def _is_open(request: LinkRequest, now: datetime) -> bool:
    """Return whether the link was not used, has not expired, and is the newest if only the newest works."""
    if request.used_at is not None or request.expires_at <= now:
        return False
    if USES.get(request.purpose) not in ONLY_NEWEST:
        return True
    newer = LinkRequest.objects.filter(purpose=request.purpose, id__gt=request.id)
    return not newer.filter(
        Q(user=request.user_id) if request.user_id else Q(registration=request.registration_id)
    ).exists()


def _recipient(request: LinkRequest) -> Recipient:
    """Return who gets the mail. Raises LinkNotWanted if the account was closed or the address is nobody's."""
    if request.registration is not None:
        registration = request.registration
        return Recipient(
            id=registration.id,
            email=request.recipient,
            first_name=registration.first_name,
            last_name=registration.last_name,
            locale=Locale(registration.locale),
            time_zone="UTC",
        )
    if request.user is None or not request.user.is_active:
        raise LinkNotWanted
    profile = request.user.profile
    return Recipient(
        id=request.user.id,
        email=request.recipient,
        first_name=profile.first_name,
        last_name=profile.last_name,
        locale=Locale(profile.locale),
        time_zone=profile.time_zone,
    )


def hash_of(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token[:200].encode(errors="replace")).hexdigest()
