"""When the trips of the seed data depart, with how many seats, at what price, and what a cancellation gives back.

Pure and deterministic: a trip and a day in, departures out. A later day yields the same departures for the dates that both
cover, so that seeding again only adds the new ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from destinations_service.catalogue.seed_data import TripRow

HORIZON: Final = timedelta(days=365)
FIRST_AFTER: Final = timedelta(days=2)
CHILD_PERCENT: Final = 70
PEAK_MONTHS: Final = {7, 8, 12}
QUIET_MONTHS: Final = {1, 2, 11}

# days before departure and per cent given back, longest first: months ahead, every policy gives something back
POLICIES: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "flexible": ((30, 100), (7, 50), (2, 20)),
    "standard": ((60, 90), (30, 60), (14, 30)),
    "strict": ((90, 75), (60, 50), (30, 25)),
}


@dataclass(frozen=True, slots=True)
class DepartureRow:
    """One departure; instants in UTC, prices in the trip's currency."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    adult_price: Decimal
    child_price: Decimal


def departures(trip: TripRow, *, time_zone: str, today: date) -> Iterator[DepartureRow]:
    """Yield the departures of the twelve months after `today`, earliest first, every 14 to 17 days.

    Of any five in a row one has 3 to 8 seats and one has 60 or more.
    """
    apart = 14 + number(trip.slug, "apart") % 4
    offset = number(trip.slug, "offset") % apart
    leaves = time(7 + number(trip.slug, "hour") % 6, 30 * (number(trip.slug, "half") % 2))
    zone = ZoneInfo(time_zone)
    first, last = (today + FIRST_AFTER).toordinal(), (today + HORIZON).toordinal()
    for turn in range((first - offset + apart - 1) // apart, (last - offset) // apart + 1):
        day = date.fromordinal(turn * apart + offset)
        starts_at = datetime.combine(day, leaves, zone).astimezone(UTC)
        price = seasonal(trip.adult_price, day.month)
        yield DepartureRow(
            starts_at=starts_at,
            ends_at=datetime.combine(day + timedelta(days=trip.days - 1), time(18), zone).astimezone(UTC),
            capacity=capacity(trip.slug, turn),
            adult_price=Decimal(price),
            child_price=Decimal(price * CHILD_PERCENT // 100),
        )


def capacity(slug: str, turn: int) -> int:
    """Return the seats of a trip's departure number `turn`: a few, a coach and more, or in between."""
    draw = number(slug, f"seats {turn}")
    match turn % 5:
        case 1:
            return 3 + draw % 6
        case 3:
            return 60 + draw % 31
        case _:
            return 12 + draw % 29


def seasonal(price: int, month: int) -> int:
    """Return a price for a month: dearer in the holidays, cheaper in the quiet months, as round as before."""
    percent = 112 if month in PEAK_MONTHS else 92 if month in QUIET_MONTHS else 100
    step = 10 ** max(len(str(price)) - 3, 0)
    return (price * percent // 100 + step // 2) // step * step


def number(slug: str, purpose: str) -> int:
    """Return a large number that is always the same for the same words."""
    return int.from_bytes(sha256(f"{slug} {purpose}".encode()).digest()[:6])
