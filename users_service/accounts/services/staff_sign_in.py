"""Sign staff in to the admin of any service, with their only account."""

from users_service.accounts import limits, passwords
from users_service.accounts.contracts import StaffView
from users_service.accounts.domain import InvalidCredentials, fold
from users_service.accounts.models import User
from users_service.accounts.selectors import to_staff_view


@passwords.place()
def authenticate_staff(*, email: str, password: str, ip_address: str) -> StaffView:
    """Return the staff account of these credentials. Raises InvalidCredentials, RateLimited."""
    folded = fold(email[:254])
    limits.before_sign_in(email=folded, ip_address=ip_address)
    user = User.objects.filter(email=folded, is_staff=True).select_related("profile").first()
    if not passwords.matches(user, password[:1_000]) or user is None:
        raise InvalidCredentials
    limits.after_sign_in(email=folded, ip_address=ip_address)
    return to_staff_view(user)
