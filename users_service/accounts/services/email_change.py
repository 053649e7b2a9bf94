"""Change the address of an account: request it, and confirm it from the new address.

The account keeps its address until the new one is confirmed. Both addresses get a mail. Whether the new address has an
account is told to nobody but the owner of that address.
"""

from uuid import UUID

from django.db import transaction

from shared.db import database_now
from shared.text import Text
from users_service.accounts import audit, events, limits, passwords
from users_service.accounts.contracts import Device, LinkUse
from users_service.accounts.domain import AuditAction, InvalidEmail, clean_email
from users_service.accounts.models import LinkPurpose, LinkRequest, User
from users_service.accounts.services.addresses import give_address, lock_address
from users_service.accounts.services.links import (
    link_of_account,
    notify_owner,
    request_link,
    use_account_link,
    void_links,
)
from users_service.accounts.services.owner import get_account, lock_owner, prove_owner
from users_service.accounts.services.session_end import EMAIL_CHANGED, end_sessions

SAME_ADDRESS = Text(
    en="This is already the address of your account.",
    fr="C’est déjà l’adresse de votre compte.",
)


@passwords.place()
def change_email(
    *,
    user_id: UUID,
    session_id: UUID,
    new_email: str,
    password: str,
    authenticated_at: int,
    device: Device,
) -> None:
    """Mail a link to the new address, and tell the present one. Earlier requests of the account become void.

    If the new address has an account, its owner gets a mail that says so in place of the link. The answer is the same.
    `password` may be empty if the sign-in (`authenticated_at`, seconds since the epoch) is recent.

    Raises InvalidEmail, InvalidCredentials, RateLimited, Unauthenticated if the session has ended, NotFound.
    """
    address = clean_email(new_email)
    refused = AuditAction.EMAIL_CHANGE_REFUSED
    user = get_account(user_id=user_id)
    if address == user.email:
        raise InvalidEmail(field="newEmail", text=SAME_ADDRESS)
    prove_owner(user, password=password, authenticated_at=authenticated_at, refused=refused, device=device)
    limits.before_mail("address change", email=address, ip_address=device.ip_address)
    with audit.refusals(user_id, refused, device=device), transaction.atomic():
        now = database_now()
        locked = lock_owner(user, session_id=session_id)
        # Also if no link follows: otherwise an earlier link that still works would show that the address is taken.
        earlier = LinkRequest.objects.filter(user=locked, purpose=LinkPurpose.CONFIRM_EMAIL_CHANGE)
        earlier.filter(used_at__isnull=True).update(used_at=now)
        owner = User.objects.filter(email=address).select_related("profile").first()
        request_link(
            purpose=LinkPurpose.ALREADY_REGISTERED if owner else LinkPurpose.CONFIRM_EMAIL_CHANGE,
            user=owner or locked,
            recipient=address,
            locale=(owner or user).profile.locale,
            now=now,
        )
        notify_owner(locked, LinkPurpose.EMAIL_CHANGE_REQUESTED, now=now)
        audit.note(user_id, AuditAction.EMAIL_CHANGE_REQUESTED, device=device, now=now)


def confirm_email_change(*, token: str, device: Device) -> None:
    """Give the account the address that the link was mailed to, and end every session.

    The earlier address gets a mail with a link that undoes the change. Raises TokenInvalid, also if another account
    has the address by now.
    """
    link = link_of_account(token=token, use=LinkUse.CONFIRM_EMAIL_CHANGE, device=device)
    with audit.refusals(link.owner.id, AuditAction.LINK_REFUSED, device=device), transaction.atomic():
        now = database_now()
        lock_address(link.request.recipient)
        user = use_account_link(link, now=now)
        earlier = user.email
        give_address(user, link.request.recipient, now=now)
        end_sessions(user, reason=EMAIL_CHANGED, device=device, now=now)
        void_links(user, now=now)
        notify_owner(user, LinkPurpose.EMAIL_CHANGED, recipient=earlier, now=now)
        events.record(user, events.updated(user, ["email"]), action=AuditAction.EMAIL_CHANGED, device=device, now=now)
