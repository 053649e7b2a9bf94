"""The rules of accounts: what an address, a password and a profile may be, why a sign-in is refused, and
what the audit log writes.

Pure: takes values and returns them cleaned, or raises a refusal that names the field.
"""

from users_service.accounts.domain.addresses import InvalidEmail, clean_email, fold
from users_service.accounts.domain.audit import AuditAction
from users_service.accounts.domain.passwords import PASSWORD_LENGTH, WeakPassword, check_password_strength
from users_service.accounts.domain.phone_codes import CodeNotWanted, InvalidCode, NoPhone
from users_service.accounts.domain.profiles import (
    InvalidCountry,
    InvalidCurrency,
    InvalidDate,
    InvalidPhone,
    InvalidTimeZone,
    TermsNotAccepted,
    clean_phone,
    clean_profile,
)
from users_service.accounts.domain.sign_in import InvalidCredentials, LinkNotWanted, TokenInvalid

__all__ = [
    "PASSWORD_LENGTH",
    "AuditAction",
    "CodeNotWanted",
    "InvalidCode",
    "InvalidCountry",
    "InvalidCredentials",
    "InvalidCurrency",
    "InvalidDate",
    "InvalidEmail",
    "InvalidPhone",
    "InvalidTimeZone",
    "LinkNotWanted",
    "NoPhone",
    "TermsNotAccepted",
    "TokenInvalid",
    "WeakPassword",
    "check_password_strength",
    "clean_email",
    "clean_phone",
    "clean_profile",
    "fold",
]
