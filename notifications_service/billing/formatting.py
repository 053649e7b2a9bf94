"""Dates, amounts and punctuation as a reader of each language writes them."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import formats, translation

from shared.money import Money, exponent
from shared.text import Locale

_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_NARROW = "\N{NARROW NO-BREAK SPACE}"
_FIXED = "\N{NO-BREAK SPACE}"
_FRENCH_SPACE: Final = re.compile(r" (?=[:;?!])")


def amount(money: Money, locale: Locale) -> str:
    """Return the amount as €1,234.50 or 1 234,50 €. A currency without a symbol here is shown by its code."""
    plain = f"{abs(money.amount):,.{exponent(money.currency)}f}"
    sign = "-" if money.amount < 0 else ""
    symbol = _SYMBOLS.get(money.currency)
    if locale is Locale.FR:
        french = plain.replace(",", _NARROW).replace(".", ",")
        return f"{sign}{french}{_FIXED}{symbol or money.currency}"
    return f"{sign}{symbol}{plain}" if symbol else f"{sign}{money.currency}{_FIXED}{plain}"


def day(instant: datetime, time_zone: str, locale: Locale) -> str:
    """Return the date in `time_zone`, as Saturday 12 December 2026."""
    return date_in_words(instant.astimezone(ZoneInfo(time_zone)).date(), locale)


@lru_cache(maxsize=1_024)  # a mail has up to seven, and mails of one time share most
def date_in_words(date: date, locale: Locale) -> str:
    """Return the date as Saturday 12 December 2026."""
    with translation.override(locale.value.lower()):
        return formats.date_format(date, "l j F Y")


def moment(instant: datetime, time_zone: str, locale: Locale) -> str:
    """Return the date and time in `time_zone`, as Saturday 12 December 2026, 09:30."""
    local = instant.astimezone(ZoneInfo(time_zone))
    clock = f"{local:%H:%M}" if locale is Locale.EN else f"{local:%H}{_FIXED}h{_FIXED}{local:%M}"
    return f"{day(instant, time_zone, locale)}, {clock}"


def punctuated(text: str, locale: Locale) -> str:
    """Return `text` with no line break before the punctuation that French writes after a space."""
    return _FRENCH_SPACE.sub(_FIXED, text) if locale is Locale.FR else text
