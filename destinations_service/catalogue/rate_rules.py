"""The rules of exchange rates.

Pure: takes values and raises. No clock, no settings, no database.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from shared.errors import Conflict, Invalid
from shared.money import CURRENCIES
from shared.text import Text

HIGHEST: Final = Decimal(10) ** 9
_CURRENCY: Final = Text(
    en="The currency must be a code of ISO 4217 other than EUR, such as USD.",
    fr="La devise doit être un code ISO 4217 autre que EUR, comme USD.",
)
_RATE: Final = Text(
    en="The rate must be above 0 and below {highest}: the units of the currency for one euro.",
    fr="Le taux doit être supérieur à 0 et inférieur à {highest} : les unités de la devise pour un euro.",
)
_DAY: Final = Text(
    en="The day of a rate must not be after {today}.", fr="Le jour d’un taux ne doit pas être après le {today}."
)


class RateJump(Conflict):
    """A rate is far from the last one, which is more often a mistake than a crash."""

    code = "RATE_JUMP"
    text = Text(
        en="{currency} was {before} for one euro and would be {rate}. If that is right, force it.",
        fr="{currency} était à {before} pour un euro et serait à {rate}. Si c’est exact, forcez-le.",
    )


def check_rate(*, currency: str, rate: Decimal, as_of: date, today: date) -> None:
    """Raise Invalid, naming the field and the allowed values, for a rate that cannot be."""
    if currency not in CURRENCIES or currency == "EUR":
        raise Invalid(field="currency", text=_CURRENCY)
    if not rate.is_finite() or not 0 < rate < HIGHEST or round(rate, 6) == 0:
        raise Invalid(field="rate", text=_RATE, highest=f"{HIGHEST:,}")
    if as_of > today:
        raise Invalid(field="asOf", text=_DAY, today=today.isoformat())
