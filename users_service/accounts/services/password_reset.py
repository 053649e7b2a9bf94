"""Set a new password with a mailed link. Whether an address has an account is told only by mail."""

from django.db import transaction

from shared.db import database_now
from shared.text import DEFAULT_LOCALE
from users_service.accounts import audit, limits, passwords
from users_service.accounts.contracts import Device, LinkUse
from users_service.accounts.domain import AuditAction, clean_email
from users_service.accounts.models import LinkPurpose, User
from users_service.accounts.services.even_time import even_time
from users_service.accounts.services.links import link_of_account, request_link, use_account_link
from users_service.accounts.services.password_change import check_new_password, store_password


@even_time()
def request_password_reset(*, email: str, device: Device) -> None:
    """Mail the account of the address a link that sets a new password. Without an account, send nothing.

    Known, pending and unknown addresses cause the same statements and take the same time.

    Raises InvalidEmail, RateLimited.
    """
    address = clean_email(email)
    limits.before_mail("password reset", email=address, ip_address=device.ip_address)
    with transaction.atomic():
        now = database_now()
        user = User.objects.filter(email=address, is_active=True).select_related("profile").first()
        request_link(
            purpose=LinkPurpose.RESET_PASSWORD if user else LinkPurpose.NOBODY,
            user=user,
            recipient=address if user else "",
            locale=user.profile.locale if user else DEFAULT_LOCALE.value,
            now=now,
        )
        audit.note(user.id if user else None, AuditAction.PASSWORD_RESET_REQUESTED, device=device, now=now)


@passwords.place()
def reset_password(*, token: str, new_password: str, device: Device) -> None:
    """Set the password of the link's account, and end every session of it.

    A password that is too weak does not use the link up. Raises TokenInvalid, WeakPassword, RateLimited.
    """
    link = link_of_account(token=token, use=LinkUse.RESET_PASSWORD, device=device)
    check_new_password(new_password, user=link.owner)
    hashed = passwords.hashed(new_password)
    with audit.refusals(link.owner.id, AuditAction.LINK_REFUSED, device=device), transaction.atomic():
        now = database_now()
        user = use_account_link(link, now=now)
        store_password(user, hashed, device=device, now=now)
        audit.note(user.id, AuditAction.PASSWORD_RESET, device=device, now=now)
