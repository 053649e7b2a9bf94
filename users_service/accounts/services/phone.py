"""Verify the phone number of a profile with a code by SMS."""

import secrets
from datetime import datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from shared.db import database_now
from shared.errors import DomainError, NotFound, RateLimited
from shared.text import Locale
from users_service.accounts import audit, events, limits
from users_service.accounts.contracts import Device, MintedPhoneCode
from users_service.accounts.domain import AuditAction, CodeNotWanted, InvalidCode, NoPhone
from users_service.accounts.models import PhoneCode, User
from users_service.accounts.services.owner import get_account

WRONG_CODES: Final = 5  # the next wrong code makes the code void


def verify_phone(*, user_id: UUID, code: str, device: Device) -> None:
    """Verify the profile's phone number with the code, or, without a code, send one by SMS.

    Raises NoPhone, RateLimited, InvalidCode, NotFound.
    """
    if code:
        _use_code(user_id=user_id, code=code, device=device)
    else:
        _request_code(user_id=user_id, device=device)


def mint_phone_code(*, request_id: UUID) -> MintedPhoneCode:
    """Return a new code of the request. Only its hash is stored; an earlier code of the request is void.

    Raises CodeNotWanted if the request does not exist, has ended, or the profile has another number now.
    """
    with transaction.atomic():
        now = database_now()
        request = PhoneCode.objects.select_for_update().filter(id=request_id).first()
        if request is None or not _is_open(request, now) or not request.user.is_active:
            raise CodeNotWanted
        profile = request.user.profile
        if profile.phone != request.phone:
            raise CodeNotWanted
        code = f"{secrets.randbelow(1_000_000):06d}"
        request.code_hash = _hash(request, code, settings.SECRET_KEY)
        request.save(update_fields=["code_hash"])
        return MintedPhoneCode(
            code=code, phone=request.phone, expires_at=request.expires_at, locale=Locale(profile.locale)
        )


def void_codes(user: User, *, now: datetime) -> None:
    """Make every open code of the account useless. The caller has locked the account."""
    PhoneCode.objects.filter(user=user, used_at__isnull=True).update(used_at=now)


def distrust_phone(user: User, *, now: datetime) -> None:
    """Make the number unverified, so that it gets no SMS before a new code. The caller has locked the account."""
    void_codes(user, now=now)
    if user.profile.phone_verified_at is not None:
        user.profile.phone_verified_at = None
        user.profile.save(update_fields=["phone_verified_at"])
        events.publish_change(user, events.updated(user, ["phone_verified"]), now=now)


def _request_code(*, user_id: UUID, device: Device) -> None:
    phone = get_account(user_id=user_id).profile.phone
    if not phone:
        raise NoPhone
    limits.before_phone_code(user_id=user_id, phone=phone, ip_address=device.ip_address)
    with transaction.atomic():
        now = database_now()
        user = _lock(user_id)
        void_codes(user, now=now)
        request = PhoneCode.objects.create(
            user=user, phone=phone, expires_at=now + settings.PHONE_CODE_LIFETIME, created_at=now
        )
        audit.note(user_id, AuditAction.PHONE_CODE_REQUESTED, device=device, now=now)
        events.publish_phone_code_requested(request, now=now)


def _use_code(*, user_id: UUID, code: str, device: Device) -> None:
    refused = AuditAction.PHONE_VERIFICATION_REFUSED
    limits.before_refusable(user_id=user_id, action=refused, ip_address=device.ip_address)
    with transaction.atomic():
        now = database_now()
        user = _lock(user_id)
        refusal = _try_code(user, "".join(code.split()), now=now)
        if refusal is None:
            user.profile.phone_verified_at = now
            user.profile.save(update_fields=["phone_verified_at"])
            message = events.updated(user, ["phone_verified"])
            events.record(user, message, action=AuditAction.PHONE_VERIFIED, device=device, now=now)
        else:
            audit.note(user_id, refused, device=device, now=now)
    if refusal is not None:  # after the commit, so that the wrong code counts
        limits.count_refusal(user_id=user_id, action=refused, ip_address=device.ip_address)
        raise refusal


def _try_code(user: User, code: str, *, now: datetime) -> DomainError | None:
    """Use the newest code of the account if it is `code`. Return a refusal, with the wrong code counted, if not.

    The caller has locked the account.
    """
    request = PhoneCode.objects.select_for_update().filter(user=user).order_by("-id").first()
    if request is None or request.expires_at <= now or request.phone != user.profile.phone:
        return InvalidCode(field="code")
    if request.used_at is None and _is_code_of(request, code):
        request.used_at = now
        request.save(update_fields=["used_at"])
        return None
    if request.used_at is None or request.wrong_attempts > WRONG_CODES:
        request.wrong_attempts = min(request.wrong_attempts + 1, 1_000)
    if request.wrong_attempts <= WRONG_CODES:
        request.save(update_fields=["wrong_attempts"])
        return InvalidCode(field="code")
    request.used_at = request.used_at or now
    request.save(update_fields=["wrong_attempts", "used_at"])
    return RateLimited(retry_after=max(1, int((request.expires_at - now).total_seconds())))


def _is_open(request: PhoneCode, now: datetime) -> bool:
    return request.used_at is None and request.expires_at > now


def _is_code_of(request: PhoneCode, code: str) -> bool:
    """Return whether the request has this code, even if SECRET_KEY was rotated since it was sent."""
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(compare_digest(_hash(request, code, secret), request.code_hash) for secret in known)


def _hash(request: PhoneCode, code: str, secret: str | bytes) -> str:
    """Return the keyed hash of a code. Without a key, a million hashes would reveal it.

    The salt makes a key of its own from the secret.
    """
    salt = "users_service.accounts.phone_code"
    return salted_hmac(salt, f"{request.id}:{code}", secret=secret, algorithm="sha256").hexdigest()


def _lock(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(id=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    return user
