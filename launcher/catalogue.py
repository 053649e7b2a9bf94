"""The one question that spans two databases: is the seeded catalogue whole on both sides of the events?"""

from dataclasses import dataclass
from typing import Final

import psycopg

# Departures that can be booked, and of those the ones whose seats-left copy came from bookings' inventory.changed.
DEPARTURES: Final = """
    SELECT count(*), count(*) FILTER (WHERE seats_sequence > 0)
    FROM catalogue_departure WHERE status = 'OPEN' AND starts_at > now()
"""
INVENTORY: Final = (
    "SELECT count(*) FROM bookings_seatinventory WHERE NOT closed AND NOT cancelled AND starts_at > now()"
)


@dataclass(frozen=True, slots=True)
class Filled:
    """How far the catalogue's departures have travelled: made, in SeatInventory, in the seats-left copy."""

    departures: int
    inventory: int
    copies: int

    @property
    def whole(self) -> bool:
        """Whether there is a catalogue, and every departure of it can be sold and shows its seats."""
        return 0 < self.departures <= min(self.inventory, self.copies)

    def progress(self) -> str:
        """Say it in a few words."""
        return f"{self.inventory} on sale, {self.copies} with seats shown, of {self.departures} departures"


class NotFilled(Exception):
    """The catalogue did not fill in time: a relay or consumer is stuck."""

    def __init__(self, filled: Filled) -> None:
        super().__init__(
            f"The catalogue is not whole: {filled.progress()}. See: ./manage_all.py logs destinations.relay"
        )


def filled(destinations_url: str, bookings_url: str) -> Filled:
    """Ask both databases. Raises psycopg.Error where one cannot be asked."""
    with psycopg.connect(destinations_url, connect_timeout=5) as connection:
        departures, copies = connection.execute(DEPARTURES).fetchone() or (0, 0)
    with psycopg.connect(bookings_url, connect_timeout=5) as connection:
        (inventory,) = connection.execute(INVENTORY).fetchone() or (0,)
    return Filled(departures=departures, inventory=inventory, copies=copies)
