"""Sign staff in to the admin of any service, with their only account."""

from django.db import transaction

from shared.db import database_now
from users_service.accounts import audit, limits, passwords
from users_service.accounts.contracts import Device, StaffView
from users_service.accounts.domain import AuditAction, InvalidCredentials, fold
from users_service.accounts.models import User
from users_service.accounts.selectors import to_staff_view


@passwords.place()
def authenticate_staff(*, email: str, password: str, ip_address: str) -> StaffView:
    """Return the staff account of these credentials. Raises InvalidCredentials, RateLimited."""
    folded = fold(email)
    limits.before_sign_in(email=folded, ip_address=ip_address)
    user = User.objects.filter(email=folded, is_staff=True).select_related("profile").first()
    is_right = passwords.matches(user, password[:1_000])
    with transaction.atomic():
        action = AuditAction.STAFF_SIGNED_IN if is_right else AuditAction.STAFF_SIGN_IN_REFUSED
        audit.note(user.id if user else None, action, device=Device(ip_address), now=database_now())
    if not is_right or user is None:
        raise InvalidCredentials
    limits.after_sign_in(email=folded, ip_address=ip_address)
    return to_staff_view(user)
