"""Take an account back from somebody else, with the link of a mail that told of a change.

Every session ends, the password works no more, and the owner gets a mail with which they set another one. The phone
number must be verified again.
"""

from datetime import datetime

from django.db import transaction

from shared.db import database_now
from users_service.accounts import audit, events
from users_service.accounts.contracts import Device, LinkUse
from users_service.accounts.domain import AuditAction
from users_service.accounts.models import LinkPurpose, LinkRequest, Session, User
from users_service.accounts.services.addresses import give_address, lock_address
from users_service.accounts.services.links import link_of_account, notify_owner, use_account_link, void_links
from users_service.accounts.services.phone import distrust_phone
from users_service.accounts.services.session_end import DISOWNED, EMAIL_CHANGED, Reason, end_sessions


def undo_email_change(*, token: str, device: Device) -> None:
    """Give the account back the earlier address that the link was mailed to. Later changes cannot be undone.

    Raises TokenInvalid, also if another account has the earlier address by now.
    """
    link = link_of_account(token=token, use=LinkUse.UNDO_EMAIL_CHANGE, device=device)
    with audit.refusals(link.owner.id, AuditAction.LINK_REFUSED, device=device), transaction.atomic():
        now = database_now()
        lock_address(link.request.recipient)
        user = use_account_link(link, now=now)
        give_address(user, link.request.recipient, now=now)
        _take_back(user, reason=EMAIL_CHANGED, device=device, now=now, undo=link.request)
        message = events.updated(user, ["email"])
        events.record(user, message, action=AuditAction.EMAIL_CHANGE_UNDONE, device=device, now=now)


def disown_change(*, token: str, device: Device) -> None:
    """End every session of the account, and start a password reset: its owner says "this wasn't me".

    Raises TokenInvalid, also if the account has another address than the one that the link was mailed to.
    """
    link = link_of_account(token=token, use=LinkUse.DISOWN_CHANGE, device=device)
    with audit.refusals(link.owner.id, AuditAction.LINK_REFUSED, device=device), transaction.atomic():
        now = database_now()
        user = use_account_link(link, now=now)
        _take_back(user, reason=DISOWNED, device=device, now=now)
        audit.note(user.id, AuditAction.CHANGE_DISOWNED, device=device, now=now)


def _take_back(user: User, *, reason: Reason, device: Device, now: datetime, undo: LinkRequest | None = None) -> None:
    user.set_unusable_password()
    user.save(update_fields=["password"])
    distrust_phone(user, now=now)  # it may be the number of whoever took the account over
    end_sessions(user, reason=reason, device=device, now=now)
    # So that the thief's device counts as new if it ever signs in again. The audit log still has it.
    Session.objects.filter(user=user).update(user_agent="", ip_address=None)
    void_links(user, now=now, undo=undo)
    notify_owner(user, LinkPurpose.RESET_PASSWORD, now=now)
