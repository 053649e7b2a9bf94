"""Close an account, or open it again. Staff do it in the admin."""

from uuid import UUID

from django.db import transaction

from shared.db import database_now
from users_service.accounts import audit
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction
from users_service.accounts.models import User
from users_service.accounts.services.links import void_links
from users_service.accounts.services.session_end import ACCOUNT_CLOSED, end_sessions


def set_active(*, user_id: UUID, is_active: bool) -> None:
    """Close the account, which ends its sessions and voids its links, or open it again.

    The audit entries have no network and no device: the traveller reads them, and must not learn those of staff. The
    history of the admin says who did it.
    """
    nowhere = Device("")
    with transaction.atomic():
        now = database_now()
        user = User.objects.select_for_update().get(id=user_id)
        if user.is_active == is_active:
            return
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        if not is_active:
            end_sessions(user, reason=ACCOUNT_CLOSED, device=nowhere, now=now)
            void_links(user, now=now)
        action = AuditAction.ACCOUNT_REOPENED if is_active else AuditAction.ACCOUNT_CLOSED
        audit.note(user_id, action, device=nowhere, now=now)
