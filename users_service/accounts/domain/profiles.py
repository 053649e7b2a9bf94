"""What a phone number and the other fields of a profile may be."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import phonenumbers
import pycountry
from phonenumbers import PhoneNumberType

from shared.errors import Invalid
from shared.money import CURRENCIES
from shared.names import clean_name
from shared.text import Locale, Text

OLDEST_BIRTH: Final = date(1900, 1, 1)
COSTLY_NUMBERS: Final = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


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


def clean_phone(phone: str) -> str:
    """Return the number as E.164, or an empty text if it is blank.

    Raises InvalidPhone, also for a number whose owner earns from each SMS that we send.
    """
    if not phone.strip():
        return ""
    try:
        number = phonenumbers.parse(phone[:40], None)
    except phonenumbers.NumberParseException:
        raise InvalidPhone(field="phone") from None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in COSTLY_NUMBERS:
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
    code = value.upper()
    if code not in CURRENCIES:
        raise InvalidCurrency(field="currency")
    return code


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
