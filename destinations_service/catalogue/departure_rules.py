"""The rules of departures: dates, length, seats and prices, and what staff must confirm.

Pure: takes `now` and values, and raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid
from shared.money import exponent
from shared.text import Text

MOST_SEATS: Final = 10_000
# A night flight or another time zone can add a day to a trip, or take one away.
DAYS_OF_TOLERANCE: Final = 1
LONGEST_REASON: Final = 300
SHORTEST_REASON: Final = 3
_LEAST_ADULT: Final = Decimal("0.001")  # the smallest unit of any currency
STATUSES: Final = ("OPEN", "CLOSED", "CANCELLED")
_SHOWN: Final = "%Y-%m-%d %H:%M UTC"

_PAST: Final = Text(
    en="The departure must start in the future: after {now}.",
    fr="Le départ doit être dans le futur : après le {now}.",
)
_ENDS: Final = Text(
    en="The departure must end after it starts: after {start}.",
    fr="Le départ doit finir après son début : après le {start}.",
)
_LENGTH: Final = Text(
    en="The trip takes {duration} days, so its departure must take {least} to {most} days. These dates take {days}.",
    fr="Le voyage dure {duration} jours : le départ doit durer de {least} à {most} jours. Ces dates en font {days}.",
)
_SEATS: Final = Text(en="The capacity must be 1 to {most} seats.", fr="La capacité doit être de 1 à {most} places.")
_ADULT: Final = Text(en="The adult price must be above 0.", fr="Le prix adulte doit être supérieur à 0.")
_CHILD: Final = Text(en="The child price must be 0 or more.", fr="Le prix enfant doit être de 0 ou plus.")
_DECIMALS: Final = Text(
    en="A price in {currency} has at most {places} decimals.",
    fr="Un prix en {currency} a au plus {places} décimales.",
)
_STATUS: Final = Text(
    en="The status must be OPEN, CLOSED or CANCELLED.", fr="L’état doit être OPEN, CLOSED ou CANCELLED."
)
_REASON: Final = Text(
    en="The reason must have {least} to {most} characters. Travellers read it.",
    fr="Le motif doit avoir de {least} à {most} caractères. Les voyageurs le lisent.",
)


class DepartureExists(Conflict):
    """The trip already has a departure at that time."""

    code = "DEPARTURE_EXISTS"
    text = Text(
        en="This trip already has a departure on {start}. Choose another start.",
        fr="Ce voyage a déjà un départ le {start}. Choisissez un autre début.",
    )


class DepartureStarted(Conflict):
    """A departure that has started keeps its dates and prices."""

    code = "DEPARTURE_STARTED"
    text = Text(
        en="This departure started on {start}: its dates and prices can no longer change.",
        fr="Ce départ a commencé le {start} : ses dates et ses prix ne peuvent plus changer.",
    )


class DepartureHasBookings(Conflict):
    """People have booked the departure, so that staff must confirm the change with a reason."""

    code = "DEPARTURE_HAS_BOOKINGS"
    text = Text(
        en="{bookings} bookings ({passengers} travellers) are affected. Confirm the change with a reason.",
        fr="{bookings} réservations ({passengers} voyageurs) sont concernées. Confirmez le changement avec un motif.",
    )


@dataclass(frozen=True, slots=True)
class DepartureTerms:
    """What travellers book: dates, seats and prices of a departure, and what its trip says about them."""

    starts_at: datetime
    ends_at: datetime
    time_zone: str
    capacity: int
    adult_price: Decimal
    child_price: Decimal
    status: str
    currency: str
    duration_days: int


def check_terms(terms: DepartureTerms, *, changed: frozenset[str], now: datetime) -> None:
    """Raise Invalid, naming the field and the allowed values, if a field among `changed` is not allowed.

    A field that nobody changes is not checked, so that an old departure can still be closed.
    """
    if "status" in changed and terms.status not in STATUSES:
        raise Invalid(field="status", text=_STATUS)
    if "capacity" in changed and not 1 <= terms.capacity <= MOST_SEATS:
        raise Invalid(field="capacity", text=_SEATS, most=MOST_SEATS)
    if changed & {"starts_at", "ends_at"}:
        _check_dates(terms, start_changed="starts_at" in changed, now=now)
    if "adult_price" in changed:
        _check_price(terms.adult_price, terms.currency, field="adultPrice", lowest=_LEAST_ADULT, text=_ADULT)
    if "child_price" in changed:
        _check_price(terms.child_price, terms.currency, field="childPrice", lowest=Decimal(0), text=_CHILD)


def check_reason(reason: str) -> str:
    """Return the reason without outer spaces. Raises Invalid if it is too short or too long, or has a control
    character.
    """
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise Invalid(field="reason", text=_REASON, least=SHORTEST_REASON, most=LONGEST_REASON)
    return reason


def shown(instant: datetime) -> str:
    """Return an instant as refusals show it, in UTC."""
    return instant.strftime(_SHOWN)


def _check_dates(terms: DepartureTerms, *, start_changed: bool, now: datetime) -> None:
    if start_changed and terms.starts_at <= now:
        raise Invalid(field="startsAt", text=_PAST, now=shown(now))
    if terms.ends_at <= terms.starts_at:
        raise Invalid(field="endsAt", text=_ENDS, start=shown(terms.starts_at))
    zone = ZoneInfo(terms.time_zone)
    days = (terms.ends_at.astimezone(zone).date() - terms.starts_at.astimezone(zone).date()) // timedelta(days=1) + 1
    least, most = max(1, terms.duration_days - DAYS_OF_TOLERANCE), terms.duration_days + DAYS_OF_TOLERANCE
    if not least <= days <= most:
        raise Invalid(
            field="endsAt", text=_LENGTH, duration=terms.duration_days, least=least, most=most, days=days
        )  # fmt: skip


def _check_price(price: Decimal, currency: str, *, field: str, lowest: Decimal, text: Text) -> None:
    if not price.is_finite() or price < lowest:
        raise Invalid(field=field, text=text)
    places = exponent(currency)
    if price != round(price, places):
        raise Invalid(field=field, text=_DECIMALS, currency=currency, places=places)
