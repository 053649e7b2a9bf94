"""The rules of the catalogue: which searches, circles and dates are valid, and what may be refused.

Pure: takes values, returns values or raises. No clock, no settings, no database.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.errors import Conflict, Invalid
from shared.text import Text

LONGEST_RADIUS_KM: Final = 20_040.0  # half of the Earth's circumference
MOST_TAGS: Final = 10


class CapacityBelowSold(Conflict):
    """The capacity is lower than the held and sold seats of bookings_service."""

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
    """Another row of the catalogue depends on this one, or has the same key."""

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


def check_near(near: Near) -> Near:
    """Return `near`. Raises Invalid unless it is a point of the globe with a radius in (0, LONGEST_RADIUS_KM]."""
    finite = all(math.isfinite(part) for part in (near.latitude, near.longitude, near.radius_km))
    if not finite or not -90 <= near.latitude <= 90 or not -180 <= near.longitude <= 180:
        raise Invalid(field="near")
    if not 0 < near.radius_km <= LONGEST_RADIUS_KM:
        raise Invalid(field="near.radiusKm")
    return near


def check_dates(*, after: date | None, before: date | None) -> None:
    """Raise Invalid if `after` is later than `before`."""
    if after and before and after > before:
        raise Invalid(field="departsBefore")
