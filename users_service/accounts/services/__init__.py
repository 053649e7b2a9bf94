"""What can be done with accounts: one module per use case, each write one transaction under the account's lock."""

from users_service.accounts.services.links import mint_link, resend_verification, verify_email
from users_service.accounts.services.profile import update_profile
from users_service.accounts.services.registration import register
from users_service.accounts.services.sessions import log_in, log_out, refresh
from users_service.accounts.services.staff import authenticate_staff

__all__ = [
    "authenticate_staff",
    "log_in",
    "log_out",
    "mint_link",
    "refresh",
    "register",
    "resend_verification",
    "update_profile",
    "verify_email",
]
