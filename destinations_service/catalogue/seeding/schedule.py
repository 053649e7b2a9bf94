"""The departures of the seed data's trips: their dates, seats and prices, and the cancellation policies.

Pure and deterministic: takes a trip and a day, yields departures. A later day yields the same departures for the dates
that both days cover. Seeding again therefore adds only new departures.
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

# Days before departure and the percentage refunded, longest first. Months ahead, every policy refunds something.
POLICIES: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "flexible": ((30, 100), (7, 50), (2, 20)),
    "standard": ((60, 90), (30, 60), (14, 30)),
    "strict": ((90, 75), (60, 50), (30, 25)),
}


@dataclass(frozen=True, slots=True)
class DepartureRow:
    """One departure. Times are in UTC, prices in the trip's currency."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    adult_price: Decimal
    child_price: Decimal


def departures(trip: TripRow, *, time_zone: str, today: date) -> Iterator[DepartureRow]:
    """Yield the departures of the twelve months after `today`, earliest first, one every 14 to 17 days.

    Among any five in a row, one has 3 to 8 seats and one has 60 or more.
    """
    interval = 14 + number(trip.slug, "apart") % 4
    offset = number(trip.slug, "offset") % interval
    departure_time = time(7 + number(trip.slug, "hour") % 6, 30 * (number(trip.slug, "half") % 2))
    zone = ZoneInfo(time_zone)
    first, last = (today + FIRST_AFTER).toordinal(), (today + HORIZON).toordinal()
    for turn in range((first - offset + interval - 1) // interval, (last - offset) // interval + 1):
        day = date.fromordinal(turn * interval + offset)
        starts_at = datetime.combine(day, departure_time, zone).astimezone(UTC)
        price = seasonal(trip.adult_price, day.month)
        yield DepartureRow(
            starts_at=starts_at,
            ends_at=datetime.combine(day + timedelta(days=trip.days - 1), time(18), zone).astimezone(UTC),
            capacity=capacity(trip.slug, turn),
            adult_price=Decimal(price),
            child_price=Decimal(price * CHILD_PERCENT // 100),
        )


def capacity(slug: str, turn: int) -> int:
    """Return the seats of a trip's departure number `turn`: few, many, or a number in between."""
    draw = number(slug, f"seats {turn}")
    match turn % 5:
        case 1:
            return 3 + draw % 6
        case 3:
            return 60 + draw % 31
        case _:
            return 12 + draw % 29


def seasonal(price: int, month: int) -> int:
    """Return the price for a month, as round as `price`: higher in PEAK_MONTHS, lower in QUIET_MONTHS."""
    percent = 112 if month in PEAK_MONTHS else 92 if month in QUIET_MONTHS else 100
    step = 10 ** max(len(str(price)) - 3, 0)
    return (price * percent // 100 + step // 2) // step * step


def number(slug: str, purpose: str) -> int:
    """Return a large number that depends only on the arguments."""
    return int.from_bytes(sha256(f"{slug} {purpose}".encode()).digest()[:6])
