"""The colours of a drawn photo, by continent."""

from dataclasses import dataclass
from typing import Final

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one map: the sea from top to bottom, the land, the country shown, and what is marked on it."""

    sea_top: Colour
    sea_bottom: Colour
    land: Colour
    country: Colour
    mark: Colour


def colour(code: str) -> Colour:
    """Return red, green and blue of a code `rrggbb`."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def palette(*codes: str) -> Palette:
    """Return the palette of five codes: top of the sea, bottom of the sea, land, country, mark."""
    return Palette(*map(colour, codes))


PALETTES: Final = {
    "EU": palette("1f6f8b", "0b3a53", "e8dcc4", "f2b880", "c8412b"),
    "AF": palette("2a7f83", "0d3b4a", "f1dfb5", "e59a4c", "9c2f1f"),
    "AS": palette("35658f", "16294a", "e9dfd0", "e8a0a0", "b3202c"),
    "NA": palette("2f7f8f", "0f3648", "dde3cf", "9cc28a", "c2502a"),
    "SA": palette("1f8378", "0a3f41", "e6e1bd", "efc557", "b2392b"),
    "OC": palette("1593a5", "0a4a66", "f3e5c8", "f4a582", "b5305c"),
    "AN": palette("5f97bd", "23466b", "f3f7fa", "cfe0ee", "c8412b"),
}
