"""Writes of accounts, one module per use case. Each write is one transaction that locks the account's row."""

from users_service.accounts.services.closing import set_active
from users_service.accounts.services.email_change import change_email, confirm_email_change
from users_service.accounts.services.links import describe_link, mint_link
from users_service.accounts.services.password_change import change_password
from users_service.accounts.services.password_reset import request_password_reset, reset_password
from users_service.accounts.services.phone import mint_phone_code, verify_phone
from users_service.accounts.services.profile import update_profile
from users_service.accounts.services.recovery import disown_change, undo_email_change
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
    "change_email",
    "change_password",
    "confirm_email_change",
    "describe_link",
    "disown_change",
    "log_in",
    "log_out",
    "mint_link",
    "mint_phone_code",
    "refresh",
    "register",
    "replace_compromised_signing_keys",
    "request_password_reset",
    "resend_verification",
    "reset_password",
    "revoke_session",
    "rotate_signing_keys",
    "set_active",
    "undo_email_change",
    "update_profile",
    "verify_email",
    "verify_phone",
]
