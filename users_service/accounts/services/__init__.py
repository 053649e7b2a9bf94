"""Writes of accounts, one module per use case. Each write is one transaction that locks the account's row."""

from users_service.accounts.services.links import describe_link, mint_link
from users_service.accounts.services.profile import update_profile
from users_service.accounts.services.registration import register, resend_verification, verify_email
from users_service.accounts.services.sessions import log_out, refresh, revoke_session
from users_service.accounts.services.sign_in import log_in
from users_service.accounts.services.signing_keys import (
    Rotation,
    RotationUnderWay,
    replace_compromised_signing_keys,
    rotate_signing_keys,
)
from users_service.accounts.services.staff_sign_in import authenticate_staff

__all__ = [
    "Rotation",
    "RotationUnderWay",
    "authenticate_staff",
    "describe_link",
    "log_in",
    "log_out",
    "mint_link",
    "refresh",
    "register",
    "replace_compromised_signing_keys",
    "resend_verification",
    "revoke_session",
    "rotate_signing_keys",
    "update_profile",
    "verify_email",
]
