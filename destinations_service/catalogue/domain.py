"""The rules of the catalogue: what a search, a place near a point, a price limit and a departure may be. Pure."""

import math
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.errors import Conflict, Invalid
from shared.text import Text

LONGEST_SEARCH: Final = 100
LONGEST_RADIUS_KM: Final = 20_040.0  # half way round
MOST_TAGS: Final = 10


class CapacityBelowSold(Conflict):
    """Fewer seats than bookings_service holds and has sold."""

    code = "CAPACITY_BELOW_SOLD"
    text = Text(
        en="{held} seats are held and {sold} sold: the capacity cannot go below their sum.",
        fr="{held} places sont retenues et {sold} vendues : la capacité ne peut descendre en dessous.",
    )


class DepartureFinal(Conflict):
    """A cancelled departure stays cancelled."""

    code = "DEPARTURE_CANCELLED"
    text = Text(en="This departure is cancelled and stays so.", fr="Ce départ est annulé et le reste.")


class InUse(Conflict):
    """Something else in the catalogue needs it."""

    code = "IN_USE"
    text = Text(
        en="Other entries depend on it; remove them first.", fr="D’autres fiches en dépendent ; retirez-les d’abord."
    )


@dataclass(frozen=True, slots=True)
class Near:
    """A circle on the globe."""

    latitude: float
    longitude: float
    radius_km: float


def fold(text: str) -> str:
    """Return text as it is searched for: lower case, without accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(character for character in plain if not unicodedata.combining(character)).split())


def check_search(text: str) -> str:
    """Return the words to look for, as plain text. Raises Invalid past 100 characters or with control characters."""
    if len(text) > LONGEST_SEARCH or any(unicodedata.category(character) == "Cc" for character in text):
        raise Invalid(field="search")
    return fold(text)


def check_near(near: Near) -> Near:
    """Return the circle. Raises Invalid off the globe, for what is no number, and for a radius of nothing or more than half way round."""
    finite = all(math.isfinite(part) for part in (near.latitude, near.longitude, near.radius_km))
    if not finite or not -90 <= near.latitude <= 90 or not -180 <= near.longitude <= 180:
        raise Invalid(field="near")
    if not 0 < near.radius_km <= LONGEST_RADIUS_KM:
        raise Invalid(field="near.radiusKm")
    return near


def check_dates(*, after: date | None, before: date | None) -> None:
    """Raise Invalid where the first date is after the last."""
    if after and before and after > before:
        raise Invalid(field="departsBefore")


def kilometres(near: Near, latitude: float, longitude: float) -> float:
    """Return the great-circle distance, in km."""
    a, b = math.radians(near.latitude), math.radians(latitude)
    half_b, half_l = (b - a) / 2, math.radians(longitude - near.longitude) / 2
    h = math.sin(half_b) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_l) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(min(1.0, h)))
