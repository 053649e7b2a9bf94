"""Whether the seeded catalogue has arrived on both sides of the events. The answer is in two databases."""

from dataclasses import dataclass
from typing import Final

import psycopg

from launcher.refusal import Refusal

# Departures on sale; and those of them whose count of free seats came from the event inventory.changed of bookings.
DEPARTURES: Final = """
    SELECT count(*), count(*) FILTER (WHERE seats_sequence > 0)
    FROM catalogue_departure WHERE status = 'OPEN' AND starts_at > now()
"""
INVENTORY: Final = (
    "SELECT count(*) FROM bookings_seatinventory WHERE NOT closed AND NOT cancelled AND starts_at > now()"
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many departures there are, how many bookings sells, and how many show their free seats in destinations."""

    departures: int
    on_sale: int
    with_seats: int

    @property
    def everywhere(self) -> bool:
        """Whether there is a catalogue, and every departure of it can be sold and shows its free seats."""
        return 0 < self.departures <= min(self.on_sale, self.with_seats)

    def progress(self) -> str:
        """Return the counts in a few words."""
        return f"{self.on_sale} on sale, {self.with_seats} with seats shown, of {self.departures} departures"


def incomplete(arrived: Arrived) -> Refusal:
    """Return the refusal for a catalogue that did not arrive in time: a relay or a consumer does not work."""
    return Refusal(f"The catalogue is incomplete: {arrived.progress()}.", "./manage_all.py logs destinations.relay")


def departures_arrived(destinations_url: str, bookings_url: str) -> Arrived:
    """Ask both databases. Raises psycopg.Error if one of them does not answer."""
    with psycopg.connect(destinations_url, connect_timeout=5) as connection:
        departures, with_seats = connection.execute(DEPARTURES).fetchone() or (0, 0)
    with psycopg.connect(bookings_url, connect_timeout=5) as connection:
        (on_sale,) = connection.execute(INVENTORY).fetchone() or (0,)
    return Arrived(departures=departures, on_sale=on_sale, with_seats=with_seats)
