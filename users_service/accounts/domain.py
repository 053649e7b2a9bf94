"""The rules of accounts: what an address, a password and a profile may be.

Pure: takes values and returns them cleaned, or raises a refusal that names the field.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import phonenumbers
import pycountry
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from shared.errors import Conflict, Invalid, Unauthenticated
from shared.names import clean_name
from shared.text import Locale, Text

PASSWORD_LENGTH: Final = (9, 128)
OLDEST_BIRTH: Final = date(1900, 1, 1)
NOT_MONEY: Final = frozenset(
    {"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA"}
)
_is_email = EmailValidator()


class AuditAction(StrEnum):
    """Everything that the audit log writes about an account. The values are public: they are the types of security
    events, and must never change.
    """

    REGISTERED = "registered"
    PROFILE_UPDATED = "profile_updated"
    SIGNED_IN = "signed_in"
    SIGNED_IN_FROM_NEW_DEVICE = "signed_in_from_new_device"
    SIGN_IN_REFUSED = "sign_in_refused"
    STAFF_SIGNED_IN = "staff_signed_in"
    STAFF_SIGN_IN_REFUSED = "staff_sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session_revoked"  # by its owner, from the list of sessions
    SESSION_ENDED = "session_ended"  # because of a change of the account, or of too many sessions
    REUSE_DETECTED = "reuse_detected"  # of a refresh token
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 — a name
    PASSWORD_RESET = "password_reset"  # noqa: S105 — a name
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 — a name
    PASSWORD_CHANGE_REFUSED = "password_change_refused"  # noqa: S105 — a name
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGE_REFUSED = "email_change_refused"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_UNDONE = "email_change_undone"
    CHANGE_DISOWNED = "change_disowned"
    PHONE_CODE_REQUESTED = "phone_code_requested"
    PHONE_VERIFICATION_REFUSED = "phone_verification_refused"
    PHONE_VERIFIED = "phone_verified"


class InvalidEmail(Invalid):
    """The text is not a valid email address."""

    code = "INVALID_EMAIL"
    text = Text(en="This is not a valid email address.", fr="Cette adresse électronique n’est pas valide.")


class WeakPassword(Invalid):
    """The password is too short, too long, too common, or the address itself."""

    code = "WEAK_PASSWORD"
    text = Text(
        en="A password has 9 to 128 characters, and is neither a common one nor your address.",
        fr="Un mot de passe compte de 9 à 128 caractères et n’est ni courant ni votre adresse.",
    )


class InvalidPhone(Invalid):
    """The text is not a phone number in international form."""

    code = "INVALID_PHONE"
    text = Text(
        en="This is not a valid phone number; write it like +33 6 12 34 56 78.",
        fr="Ce numéro n’est pas valide ; écrivez-le comme +33 6 12 34 56 78.",
    )


class TermsNotAccepted(Invalid):
    """The terms were not accepted."""

    code = "TERMS_NOT_ACCEPTED"
    text = Text(en="Accept the terms to register.", fr="Acceptez les conditions pour vous inscrire.")


class InvalidDate(Invalid):
    """The text is not a date, or nobody alive was born on it."""

    code = "INVALID_DATE"
    text = Text(en="This is not a valid date of birth.", fr="Cette date de naissance n’est pas valide.")


class InvalidCountry(Invalid):
    """The text is not an ISO 3166-1 country code."""

    code = "INVALID_COUNTRY"
    text = Text(en="This is not a country code.", fr="Ce n’est pas un code de pays.")


class InvalidCurrency(Invalid):
    """The text is not the ISO 4217 code of a currency that people pay with."""

    code = "INVALID_CURRENCY"
    text = Text(en="This is not a currency code.", fr="Ce n’est pas un code de devise.")


class InvalidTimeZone(Invalid):
    """The text is not the name of an IANA time zone."""

    code = "INVALID_TIME_ZONE"
    text = Text(en="This is not a time zone.", fr="Ce n’est pas un fuseau horaire.")


class InvalidCredentials(Unauthenticated):
    """The address or the password is wrong. The answer never says which of the two."""

    code = "INVALID_CREDENTIALS"
    text = Text(en="The address or the password is wrong.", fr="L’adresse ou le mot de passe est incorrect.")


class TokenInvalid(Invalid):
    """The token of the link or session is unknown, used, expired or revoked."""

    code = "TOKEN_INVALID"
    text = Text(en="This link or session is no longer valid.", fr="Ce lien ou cette session n’est plus valable.")


class LinkNotWanted(Conflict):
    """The link of this request was used or has expired, so no mail must be sent."""

    code = "LINK_NOT_WANTED"
    text = Text(en="This link is no longer wanted.", fr="Ce lien n’est plus attendu.")


def fold(email: str) -> str:
    """Return the address in NFKC, lower case, without outer spaces: the same text for every spelling of it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).strip().casefold())


def clean_email(email: str) -> str:
    """Return the folded address. Raises InvalidEmail.

    A local part with characters beyond ASCII is refused, because it can imitate another address.
    """
    folded = fold(email[:1_000])
    try:
        _is_email(folded)
    except ValidationError:
        raise InvalidEmail(field="email") from None
    if len(folded) > 254:
        raise InvalidEmail(field="email")
    return folded


def check_password_strength(password: str, *, email: str, common: frozenset[str]) -> None:
    """Raise WeakPassword unless the password has 9 to 128 characters and is neither common nor the address."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        raise WeakPassword(field="password")
    plain = fold(password)
    if plain in common or plain in (email, email.split("@", 1)[0]) or len(set(plain)) < 4:
        raise WeakPassword(field="password")


def clean_phone(phone: str) -> str:
    """Return the number as E.164, or an empty text if it is blank. Raises InvalidPhone."""
    if not phone.strip():
        return ""
    try:
        number = phonenumbers.parse(phone[:40], None)
    except phonenumbers.NumberParseException:
        raise InvalidPhone(field="phone") from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone(field="phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def clean_profile(changes: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Return all changes cleaned. Raises the refusal of the first field that is wrong."""
    return {name: _CLEANERS[name](value, today) for name, value in changes.items()}


def _birth(value: str, today: date) -> date | None:
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidDate(field="dateOfBirth") from None
    if not OLDEST_BIRTH <= day <= today:
        raise InvalidDate(field="dateOfBirth")
    return day


def _country(value: str, _: date) -> str:
    if not value:
        return ""
    country = pycountry.countries.get(alpha_2=value)
    if country is None:
        raise InvalidCountry(field="nationality")
    return str(country.alpha_2)


def _currency(value: str, _: date) -> str:
    currency = pycountry.currencies.get(alpha_3=value)
    if currency is None or currency.alpha_3 in NOT_MONEY:
        raise InvalidCurrency(field="currency")
    return str(currency.alpha_3)


def _time_zone(value: str, _: date) -> str:
    if value not in _time_zones():
        raise InvalidTimeZone(field="timeZone")
    return value


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of the IANA time zones. Cached, because reading them walks a folder.

    `localtime` and `Factory` are files of that folder, but not zones.
    """
    return frozenset(available_timezones() - {"localtime", "Factory"})


_CLEANERS: Final[Mapping[str, Any]] = {
    "first_name": lambda value, _: clean_name(value, field="firstName"),
    "last_name": lambda value, _: clean_name(value, field="lastName"),
    "phone": lambda value, _: clean_phone(value),
    "date_of_birth": _birth,
    "nationality": _country,
    "locale": lambda value, _: Locale(value).value,
    "currency": _currency,
    "time_zone": _time_zone,
    "notify_by_email": lambda value, _: bool(value),
    "notify_by_sms": lambda value, _: bool(value),
}
